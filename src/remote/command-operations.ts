import type { Wording } from './request.ts';

/** Commands that only make sense beside the database or on this machine, and why. */
export type Local = { readonly local: string };

const act = (operation: string, names: Readonly<Record<string, string>> = {}): Wording => ({ operation, names });

/**
 * 명령과 작업. What each command is at the API: whoever types `jeongsan --server URL …` has it done there. A test walks
 * the commands and the routes and holds this table to both.
 */
export const commandOperations: Readonly<Record<string, Wording | Local>> = {
  'webhooks list': act('listWebhooks'),
  'webhooks events': act('listWebhookEvents'),
  'webhooks add': act('addWebhook'),
  'webhooks edit': act('changeWebhook', { on: 'enabled=true', off: 'enabled=false' }),
  'webhooks remove': act('removeWebhook'),
  'webhooks deliveries': act('listWebhookDeliveries', { event: 'kind' }),
  'webhooks show': act('showWebhookDelivery'),
  'webhooks replay': act('replayWebhookDeliveries', { event: 'kind' }),
};
