// One transfer in a process of its own, through the built library, with its memory: run by transfer.test.ts.
// Input: JSON { warmUp, url, options, upload? } on standard input; output: JSON on standard output.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createUpstream } from '../../dist/index.js';

const { warmUp, url, options, upload } = JSON.parse(readFileSync(0, 'utf8'));
const upstream = await createUpstream(options);
await digest((await upstream.request(warmUp)).body);
await wait(200);
const idle = process.memoryUsage.rss();
const body = upload === undefined ? {} : { method: 'PUT', body: () => createReadStream(upload) };
const response = await upstream.request(url, body);
const hash = createHash('sha256');
let bytes = 0;
let text = '';
for await (const piece of response.body) {
  hash.update(piece);
  bytes += piece.length;
  text = upload === undefined ? '' : text + piece;
}
const { status, legs } = response;
const peak = process.resourceUsage().maxRSS * 1024;
const report = { status, legs, bytes, sha256: hash.digest('hex'), text, idle, peak };
process.stdout.write(`${JSON.stringify(report)}\n`);
await upstream.close();

async function digest(stream) {
  for await (const piece of stream) {
    createHash('sha256').update(piece).digest();
  }
}
