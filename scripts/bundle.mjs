// One bundle, with its constants kept constant.
//
// esbuild turns every `const` at the top of a bundle into a `var`, and V8 folds only constants: the
// packet path takes a fifth longer with variables. So a bundle is made in two steps: all modules in
// one scope; then our own variables that nothing assigns become constants again, and the
// white space goes. Functions become constants too, at the front, where they are defined before
// anything runs: V8 looks at every call whether a declared one has been assigned meanwhile. Syntax is not minified: joined declarations and commas took 2 to 4 % more a packet.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as esbuild from 'esbuild';

const MODULE = /^\/\/ .+\.[cm]?[jt]s$/;
const DECLARED = /^var ([\w$]+) = /;
const FUNCTION = /^((?:async )?function\*?) ([\w$]+)\(/;
const ASSIGNED = /([\w$]+)\s*(?:\+\+|--|(?:[-+*/%&|^]|\*\*|<<|>>>?|&&|\|\||\?\?)?=(?![=>]))/g;
const COUNTED = /(?:\+\+|--)\s*([\w$]+)/g;

/** How often each name is assigned, wherever it is and whatever it names there. */
function assignments(code) {
  const count = new Map();
  for (const pattern of [ASSIGNED, COUNTED]) {
    for (const [, name] of code.matchAll(pattern)) count.set(name, (count.get(name) ?? 0) + 1);
  }
  return count;
}

/** @param code a bundle of esbuild, not minified: one declaration a line, modules named in comments */
export function keepConstants(code) {
  const assigned = assignments(code);
  const front = [];
  const rest = [];
  const lines = code.split('\n');
  let first = 0; // line of the first module: a banner stays before everything
  let ours = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (MODULE.test(line)) {
      first ||= rest.length;
      ours = !line.includes('node_modules/');
    }
    const [, keyword, called] = FUNCTION.exec(line) ?? [];
    const variable = DECLARED.exec(line)?.[1];
    if (ours && called !== undefined && !assigned.has(called)) {
      const end = lines.indexOf('}', i);
      front.push(line.replace(FUNCTION, `const ${called} = ${keyword} (`));
      front.push(...lines.slice(i + 1, end), '};');
      i = end;
    } else if (ours && assigned.get(variable) === 1) {
      rest.push(`const${line.slice('var'.length)}`);
    } else rest.push(line);
  }
  return rest.toSpliced(first, 0, ...front).join('\n');
}

/** esbuild's `build`, in the two steps. */
export async function build({ minifyWhitespace, ...options }) {
  const { target, legalComments } = options;
  const { outputFiles } = await esbuild.build({ ...options, write: false });
  for (const { path, text } of outputFiles) {
    const { code } = await esbuild.transform(keepConstants(text), {
      ...{ format: 'esm', target, legalComments, minifyWhitespace },
    });
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
}
