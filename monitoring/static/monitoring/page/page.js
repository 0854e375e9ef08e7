// What every page does: times on the reader's clock, live renewal, actions.
import { actions } from "./actions.js";
import { live } from "./live.js";
import { times } from "./times.js";

times();
live();
actions();
