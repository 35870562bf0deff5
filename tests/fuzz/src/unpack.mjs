// Unpacks links with the page's own code: a line in is a link as a JSON string, a line out is what comes of it.
import { createInterface } from 'node:readline';
import { fromLink } from '../../../www/nabla-tools.js';

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { json: JSON.stringify(await fromLink(JSON.parse(line))) };
  } catch (e) {
    answer = { error: String(e?.message ?? e) };
  }
  process.stdout.write(`${JSON.stringify({ ...answer, memory: process.memoryUsage.rss() })}\n`);
}
