"""The clients of Meta and Twilio, and what their answers mean."""
