// The type declarations of the client library: strict programs compile with them, and they name what the library has.
import assert from 'node:assert/strict';
import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';
import ts from 'typescript';

const beside = name => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cardea-types-'));
let program;
before(() => {
  cpSync(beside('samples'), folder, {recursive: true});
  for (const file of ['cardea.d.ts', 'cardea.js']) cpSync(beside(`../../html/${file}`), join(folder, file));
  program = ts.createProgram([join(folder, 'room.ts'), join(folder, 'wire.ts'), join(folder, 'cardea.d.ts')], {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, types: [],
    moduleResolution: ts.ModuleResolutionKind.Bundler, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  });
});
after(() => rmSync(folder, {recursive: true}));

test('strict programs compile with the declarations', () => {
  const found = ts.getPreEmitDiagnostics(program).map(({file, start, messageText}) =>
    `${file?.fileName.split('/').at(-1)}:${file?.getLineAndCharacterOfPosition(start).line + 1} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  assert.deepEqual(found, []);
});

test('every value that the module exports is declared, and no other', async () => {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(folder, 'cardea.d.ts')));
  const declared = checker.getExportsOfModule(module).filter(({flags}) => flags & ts.SymbolFlags.Value).map(({name}) => name).sort();
  const exported = Object.keys(await import('../../html/cardea.js')).sort();
  assert.deepEqual(declared, exported);
});

test('what the classes have is declared, and the words are the same', async () => {
  const library = await import('../../html/cardea.js');
  const checker = program.getTypeChecker();
  const exports = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(join(folder, 'cardea.d.ts')))).map(one => [one.name, one]));
  const membersOf = type => checker.getPropertiesOfType(type).map(({name}) => name);
  for (const name of ['RoomEvent', 'ParticipantEvent', 'TrackEvent', 'ConnectionState', 'ConnectionQuality']) {
    const type = checker.getTypeOfSymbol(exports.get(name));
    for (const [member, value] of Object.entries(library[name])) {
      const property = checker.getPropertyOfType(type, member);
      assert.ok(property, `${name}.${member} is declared`);
      assert.equal(checker.typeToString(checker.getTypeOfSymbol(property)).replaceAll('"', ''), value);
    }
    assert.deepEqual(membersOf(type).sort(), Object.keys(library[name]).sort());
  }
  for (const name of ['Session', 'Handle', 'TextRoom', 'Room', 'LocalParticipant', 'RemoteParticipant', 'LocalTrack', 'RemoteTrack',
    'LocalTrackPublication', 'RemoteTrackPublication']) {
    const declared = membersOf(checker.getDeclaredTypeOfSymbol(exports.get(name)));
    const has = new Set();
    for (let at = library[name].prototype; at !== Object.prototype; at = Object.getPrototypeOf(at))
      for (const member of Object.getOwnPropertyNames(at)) has.add(member);
    const methods = declared.filter(member => {
      const declaration = checker.getDeclaredTypeOfSymbol(exports.get(name)).getProperty(member).declarations[0];
      return ts.isMethodDeclaration(declaration);
    });
    for (const method of methods) assert.ok(has.has(method), `${name}.${method}() is there`);
  }
});
