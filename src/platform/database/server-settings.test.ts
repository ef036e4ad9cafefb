import { describe, expect, test } from 'vitest';
import { type Machine, serverSettings, settingsFile } from './server-settings.ts';

const gibi = 1024 ** 3;
const machine = (change: Partial<Machine>): Machine => ({
  memoryBytes: 24 * gibi,
  cores: 2,
  diskFreeBytes: 200 * gibi,
  sharedMemoryBytes: 12 * gibi,
  platform: 'linux',
  ...change,
});

describe('settings suit the machine', () => {
  test.each([
    // memory disk  cores | shared_buffers work_mem maintenance wal_buffers max_wal parallel
    [24, 200, 2, '4096MB', '32MB', '1024MB', '64MB', '16384MB', '1'],
    [64, 900, 32, '4096MB', '32MB', '1024MB', '64MB', '16384MB', '4'],
    [4, 40, 4, '682MB', '8MB', '170MB', '21MB', '5120MB', '3'],
    [1, 8, 1, '170MB', '4MB', '64MB', '5MB', '1024MB', '1'],
    [0.1, 1, 1, '32MB', '4MB', '64MB', '1MB', '512MB', '1'],
  ])('%d GiB, %d GiB of disk, %d cores', (memory, disk, cores, buffers, work, maintenance, wal, maxWal, parallel) => {
    const change = { memoryBytes: memory * gibi, diskFreeBytes: disk * gibi, cores };
    expect(serverSettings(machine(change))).toMatchObject({
      shared_buffers: buffers,
      work_mem: work,
      maintenance_work_mem: maintenance,
      wal_buffers: wal,
      max_wal_size: maxWal,
      max_parallel_workers_per_gather: parallel,
      synchronous_commit: 'on',
    });
  });
});

test.each([
  ['linux', 12 * gibi, 'posix'],
  ['linux', 64 * 1024 ** 2, 'sysv'],
  ['linux', 0, 'sysv'],
  ['darwin', 0, 'posix'],
  ['win32', 0, 'windows'],
])('on %s with %d bytes of /dev/shm parallel workers share %s memory', (platform, sharedMemoryBytes, kind) => {
  expect(serverSettings(machine({ platform, sharedMemoryBytes }))['dynamic_shared_memory_type']).toBe(kind);
});

test('a quote in a value cannot end it', () => {
  expect(settingsFile({ search_path: "a'b" })).toContain("search_path = 'a''b'\n");
});
