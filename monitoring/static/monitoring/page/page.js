// What every page does: times on the reader's clock, live renewal, actions.
import { actions } from "./actions.js";
import { job } from "./job.js";
import { live } from "./live.js";
import { log } from "./log.js";
import { schedule } from "./schedule.js";
import { times } from "./times.js";
import { tokens } from "./tokens.js";

times();
live();
actions();
job();
schedule();
tokens();
log();
