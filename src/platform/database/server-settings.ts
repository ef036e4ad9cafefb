/** What the machine offers the server. Sizes in bytes. */
export type Machine = {
  readonly memoryBytes: number;
  readonly cores: number;
  readonly diskFreeBytes: number;
  /** Room in /dev/shm; 0 where there is none. */
  readonly sharedMemoryBytes: number;
  readonly platform: string;
};

export type ServerSettings = Readonly<Record<string, string>>;

const mebi = 1024 ** 2;
const gibi = 1024 ** 3;

/**
 * PostgreSQL's settings for this machine: those that measured best with 24 GiB, scaled down to what smaller ones have.
 * A batch role raises `work_mem` for its own transaction.
 */
export function serverSettings(machine: Machine): ServerSettings {
  const { memoryBytes, cores } = machine;
  const sharedBuffers = between(32 * mebi, memoryBytes / 6, 4 * gibi);
  const maxWal = between(512 * mebi, machine.diskFreeBytes / 8, 16 * gibi);
  return {
    shared_buffers: megabytes(sharedBuffers),
    effective_cache_size: megabytes(Math.max(memoryBytes / 2, sharedBuffers)),
    work_mem: megabytes(between(4 * mebi, memoryBytes / 512, 32 * mebi)),
    maintenance_work_mem: megabytes(between(64 * mebi, memoryBytes / 24, gibi)),
    wal_buffers: megabytes(between(mebi, sharedBuffers / 32, 64 * mebi)),
    // A COPY then hardly ever stops to write and sync its own log; an idle server's writer sleeps regardless.
    wal_writer_delay: '10ms',
    max_wal_size: megabytes(maxWal),
    min_wal_size: megabytes(between(128 * mebi, maxWal / 8, gibi)),
    checkpoint_timeout: '15min',
    synchronous_commit: 'on',
    huge_pages: 'try',
    dynamic_shared_memory_type: sharedMemoryKind(machine),
    jit: 'off',
    random_page_cost: '1.1',
    max_parallel_workers_per_gather: String(between(1, cores - 1, 4)),
    max_connections: '200',
    idle_in_transaction_session_timeout: '10min',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %a ',
    listen_addresses: '127.0.0.1',
    // The loopback alone: a socket's path may be too long for the system, depending on where the checkout lies.
    unix_socket_directories: '',
  };
}

/**
 * Where parallel workers share what they read. Containers often have 64 MB of /dev/shm, on which a parallel hash join
 * dies of "no space left on device"; System V memory has no such limit on Linux.
 */
function sharedMemoryKind({ platform, sharedMemoryBytes, memoryBytes }: Machine): string {
  if (platform === 'win32') return 'windows';
  if (platform !== 'linux') return 'posix';
  return sharedMemoryBytes >= Math.min(gibi, memoryBytes / 8) ? 'posix' : 'sysv';
}

/** The settings as the lines of a configuration file. */
export function settingsFile(settings: ServerSettings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return ['# Written anew at every start. Changes belong in postgresql.auto.conf (ALTER SYSTEM).', ...lines, ''].join(
    '\n',
  );
}

function between(least: number, wanted: number, most: number): number {
  return Math.max(least, Math.min(Math.floor(wanted), most));
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / mebi)}MB`;
}
