/** `npm run bench -- NAME [flags]`: each benchmark is a file here that reads its own flags and prints JSON with `--json`. */
import { readdirSync } from 'node:fs';

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z]+\.ts$/.test(file) && file !== 'bench.ts')
  .map((file) => file.slice(0, -'.ts'.length));

const [name, ...flags] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`npm run bench -- ${names.join(' | ')} [--rows N] [--json]\n`);
  process.exitCode = 2;
} else {
  process.argv.splice(2, process.argv.length, ...flags);
  await import(`./${name}.ts`);
}
