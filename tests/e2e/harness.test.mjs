// The harness sees what would make a test fail, in pages and in workers.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';

const provoke = {
  'a console error': [/planted/, () => console.error('planted')],
  'an uncaught error': [/planted/, () => setTimeout(() => { throw new Error('planted'); })],
  'a file that is not there': [/404/, () => fetch('./no-such-file')],
  'a request to the outside': [/outside|ERR_NAME_NOT_RESOLVED/, () => fetch('https://example.com/').catch(() => {})],
  'an uncaught error in a worker': [/planted/, () => {
    new Worker(URL.createObjectURL(new Blob(['throw new Error("planted")'])));
  }],
  'a request to the outside from a worker': [/outside|ERR_NAME_NOT_RESOLVED/, () => {
    new Worker(URL.createObjectURL(new Blob(['fetch("https://example.com/")'])));
  }],
};

for (const [what, [pattern, act]] of Object.entries(provoke)) {
  e2e(`${what} is noticed`, { allow: [/planted/, /404/, /outside/, /ERR_NAME_NOT_RESOLVED/, /Failed to fetch/] }, async ({ page, problems }) => {
    await page.evaluate(act);
    for (let wait = 0; wait < 50 && !problems.some((problem) => pattern.test(problem)); wait++) {
      await page.waitForTimeout(100);
    }
    assert.ok(problems.some((problem) => pattern.test(problem)), `seen: ${problems.join('; ') || 'nothing'}`);
  });
}
