/** Refusals of telling people: rules, channels, deliveries. */
export const alertProblems = {
  alert_channel_unknown: {
    status: 422,
    ko: '알림 채널이 없습니다: {channel}',
    en: 'There is no alert channel {channel}',
  },
  alert_channel_invalid: {
    status: 422,
    ko: '알림 채널 {channel}을(를) 이렇게 설정할 수 없습니다: {reason}',
    en: 'Alert channel {channel} cannot be so: {reason}',
  },
  alert_channel_used: {
    status: 409,
    ko: '알림 채널 {channel}은(는) 규칙 {rule}에서 쓰고 있습니다',
    en: 'Alert channel {channel} is used by rule {rule}',
  },
  alert_rule_invalid: {
    status: 422,
    ko: '알림 규칙 {rule}을(를) 이렇게 설정할 수 없습니다: {reason}',
    en: 'Alert rule {rule} cannot be so: {reason}',
  },
  alert_not_open: {
    status: 409,
    ko: '알림 {id}은(는) 이미 종결되었습니다',
    en: 'Alert {id} is over already',
  },
  mail_not_configured: {
    status: 422,
    ko: '메일을 보낼 수 없습니다: {variable} 환경 변수를 지정하십시오',
    en: 'No mail can be sent: set the environment variable {variable}',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
