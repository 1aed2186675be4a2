// The load tool: what it measured.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {join} from 'node:path';

const tool = join(process.env.CARDEA_BUILD ?? new URL('../../build', import.meta.url).pathname, 'tools/cardea-load');

/** Runs it with these options, behind a command (its words) that starts it elsewhere. */
export async function load(options, behind = []) {
  const [program, ...args] = [...behind, tool, '--json', '-', ...options.map(String)];
  const child = spawn(program, args);
  let output = '', complaint = '';
  child.stdout.on('data', data => (output += data));
  child.stderr.on('data', data => (complaint += data));
  const code = await new Promise(resolve => child.on('close', resolve));
  assert.equal(code, 0, complaint);
  return JSON.parse(output);
}
