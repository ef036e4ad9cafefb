import type { Language } from '../kernel/problem.ts';

export const channelKinds = ['smtp', 'webhook', 'slack'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** What a channel is sent besides alerts. */
export const channelPurposes = ['digest', 'report'] as const;
export type ChannelPurpose = (typeof channelPurposes)[number];

/** 알림 채널. A way to reach some people. Of an address that holds a secret, only the host is shown. */
export type AlertChannel = {
  readonly channel: string;
  readonly kind: ChannelKind;
  readonly recipients: readonly string[];
  readonly host: string | null;
  readonly signed: boolean;
  readonly language: Language;
  readonly purposes: readonly ChannelPurpose[];
  readonly enabled: boolean;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: Date;
  /** Tries in a row that reached nobody, since when, and what the last one met. */
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly lastSentAt: Date | null;
  readonly lastError: string | null;
  readonly waiting: number;
};

/** After so many tries in a row a channel counts as dead: people are told through the others. */
export const deadAfterFailures = 3;

/** True where somebody would read what it is sent. */
export function reachesSomebody(channel: Pick<AlertChannel, 'kind' | 'recipients' | 'enabled'>): boolean {
  return channel.enabled && (channel.kind !== 'smtp' || channel.recipients.length > 0);
}

/** 알림 채널 장애. The finding about a channel, which goes through whatever channel still works. */
export const channelFailing = 'alert_channel_failing';
