/** A failure for people and for programs. The one place where its text is put together. */
import { Failure } from '../errors.ts';
import { redactor } from '../redact.ts';
import type { Colors } from './output.ts';

/** The failure as it may be shown: other programs' words, addresses and command lines carry secrets. */
export function withoutSecrets(failure: Failure, secrets: readonly string[]): Failure {
  const hide = redactor(secrets);
  const { kind, host, step, next, cause } = failure;
  return new Failure(kind, hide(failure.message), {
    host,
    step: step && hide(step),
    next: next && hide(next),
    output: failure.output.map(hide),
    cause,
  });
}

/** `error: message`, what was printed last, the next step, the exit code. */
export function failureText(failure: Failure, colors: Colors): string {
  const head = `${colors.red('error:')} ${failure.message}`;
  const output = failure.output.map((line) => `  ${colors.dim(line)}`);
  const next = failure.next === undefined ? [] : failure.next.split('\n').map((line) => `  ${line}`);
  return [head, ...output, ...next, colors.dim(`exit ${failure.exitCode}`)].join('\n');
}

/** The document that `--json` prints for a failure. */
export function failureDocument(failure: Failure): unknown {
  return {
    error: {
      kind: failure.kind,
      message: failure.message,
      host: failure.host ?? null,
      step: failure.step ?? null,
      next: failure.next ?? null,
      output: failure.output,
    },
    exitCode: failure.exitCode,
  };
}
