/**
 * The edge of the program. Loading this module runs it.
 *
 * @module
 */

import { denoIo } from "./deno_io.ts";
import { main } from "./main.ts";

Deno.exit(await main(Deno.args, denoIo()));
