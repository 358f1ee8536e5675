// Loaded by every test file: Node tells of the end of a timer or file request a turn or two after it, and the leak
// detector looks at the end of the file. What is still open after this pause is open indeed.
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll } from 'vitest';

afterAll(async () => {
  await wait(100);
});
