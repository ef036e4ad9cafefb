import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // A machine that is ten times slower, or has ten times as much to do, passes too.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    // As `eventually` (test/support): no test waits for less than a slow machine needs.
    expect: { poll: { timeout: 60_000, interval: 10 } },
  },
});
