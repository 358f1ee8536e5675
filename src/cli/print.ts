// Standard output: what a command has to say there, or an error that it could not be said.
import { outputFailed, STANDARD_OUTPUT } from './output-failed.ts';

/** @throws SallyportError OUTPUT_FAILED */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) =>
      cause ? reject(outputFailed(STANDARD_OUTPUT, cause)) : resolve(),
    );
  });
}
