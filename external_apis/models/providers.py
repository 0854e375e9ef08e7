"""The messaging providers, and how they reach people."""

from django.db import models


class Provider(models.TextChoices):
    """The two we speak to."""

    META = "meta", "Meta"
    TWILIO = "twilio", "Twilio"


class Channel(models.TextChoices):
    """How a customer is reached."""

    WHATSAPP = "whatsapp", "WhatsApp"
    SMS = "sms", "SMS"
