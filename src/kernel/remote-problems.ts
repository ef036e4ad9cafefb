/** Refusals of commands that are done by a server. */
export const remoteProblems = {
  server_unreachable: {
    status: 503,
    ko: '{server} 서버에 연결할 수 없습니다: {reason}',
    en: 'The server {server} cannot be reached: {reason}',
  },
  server_answer_unreadable: {
    status: 502,
    ko: '서버의 응답을 읽을 수 없습니다 (HTTP {status}): {text}',
    en: 'The answer of the server cannot be read (HTTP {status}): {text}',
  },
  remote_command_local: {
    status: 400,
    ko: '{command} 명령은 데이터베이스가 있는 곳에서만 쓸 수 있습니다: --server 없이 실행하십시오',
    en: '{command} works beside the database alone: leave out --server',
  },
  remote_operation_unknown: {
    status: 404,
    ko: '이 서버에는 {operation} 작업이 없습니다: 버전이 다릅니다',
    en: 'This server has no operation {operation}: it is of another version',
  },
  remote_option_unknown: {
    status: 400,
    ko: '{option} 옵션은 서버를 통해서는 쓸 수 없습니다 (작업 {operation})',
    en: 'The option {option} cannot be used through a server (operation {operation})',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
