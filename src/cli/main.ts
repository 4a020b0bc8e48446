/** Where the program starts: the process's arguments, streams and signals, handed to `runProgram`. */
import { runProgram } from './program.ts';

const stops = new AbortController();
let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupts++;
    if (interrupts > 1) process.exit(130);
    stops.abort();
  });
}
// `pipeline … | head` closes our output early; that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: stops.signal,
});
// Whatever is still open (a pooled connection, a timer of a library) must not keep the program alive; but
// what was printed must arrive.
process.exitCode = exitCode;
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
