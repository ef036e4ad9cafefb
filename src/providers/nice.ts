/**
 * NICE. Its payments and captures come in and are settled; it is not reconciled, since the layouts of its statements are
 * not known. An integrator who has them adds them under `statements`: nothing else changes. Until then the folder and
 * the days until it pays are ours, and only simulated payments go by them.
 */
import type { Provider } from './provider.ts';

export const nice = {
  id: 'nice',
  name: { ko: '나이스', en: 'NICE' },
  remote: { kind: 'sftp', folder: '/out' },
  statements: {},
  payIn: { businessDays: 2 },
  method: 'card_online',
} as const satisfies Provider;
