// Programs pinned to a core.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const works = (...command) => spawnSync(command[0], [...command.slice(1), 'true']).status === 0;

/** What stands before a command so that it runs on one core (null: any), with priority where asked for. */
export function before({ core, realtime }) {
  const words = [];
  if (realtime) {
    if (!works('chrt', '-r', '5')) throw new Error('--realtime needs chrt and the right to use it');
    words.push('chrt', '-r', '5');
  }
  if (core !== null) {
    if (works('taskset', '-c', core)) words.push('taskset', '-c', core);
    else console.error(`not pinned: there is no taskset, or no core ${core}`);
  }
  return words;
}

/** A script that runs a command that way, for those who take the path of one program only. */
export function pinned(command, how) {
  const words = before(how);
  if (!words.length) return command[0];
  const folder = mkdtempSync(join(tmpdir(), 'nabla-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, 'run.sh');
  writeFileSync(script, `#!/bin/sh\nexec ${[...words, ...command].join(' ')} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}
