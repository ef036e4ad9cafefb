import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** How the server treats the next message. `hang` and `drop` take all of it and give no
 * answer. */
export type MailManner =
  | 'accept'
  | 'defer'
  | 'refuse'
  | 'refuse-recipient'
  | 'hang'
  | 'hang-at-greeting'
  | 'cut-midway'
  | 'drop';

export type ReceivedMail = Email & { readonly envelopeTo: readonly string[]; readonly raw: string };

export type MailServer = {
  readonly port: number;
  /** `smtp://127.0.0.1:…?tls=none` */
  readonly url: string;
  manner: MailManner;
  /** All that came whole, in order; with `drop` and `hang` too, since its sender cannot know. */
  readonly mails: readonly ReceivedMail[];
  /** The mail of that number, from 0, as soon as it is there. */
  mail(n: number): Promise<ReceivedMail>;
  /** Resolves when the next message has come whole, or is cut. */
  begun(): Promise<void>;
  close(): Promise<void>;
};

type Fault = Error & { responseCode?: number };

function fault(responseCode: number, text: string): Fault {
  return Object.assign(new Error(text), { responseCode });
}

/** A real SMTP server that does as it is told. With `pem` it offers STARTTLS, with `wrapped` it speaks TLS at once. */
export async function openMailServer(
  options: {
    readonly manner?: MailManner;
    readonly pem?: { readonly key: string; readonly certificate: string };
    readonly wrapped?: boolean;
    readonly user?: { readonly name: string; readonly password: string };
  } = {},
): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const waiting: (() => void)[] = [];
  const begun: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const wake = (some: (() => void)[]) => {
    for (const each of some.splice(0)) each();
  };
  const state = { manner: options.manner ?? 'accept' };
  const { pem, wrapped = false, user } = options;
  const server = new SMTPServer({
    secure: wrapped,
    ...(pem === undefined ? { hideSTARTTLS: true } : { key: pem.key, cert: pem.certificate }),
    authOptional: user === undefined,
    disabledCommands: user === undefined ? ['AUTH'] : [],
    disableReverseLookup: true,
    logger: false,
    size: 20 * 1024 * 1024,
    closeTimeout: 10,
    onConnect(_session, done) {
      if (state.manner !== 'hang-at-greeting') done();
    },
    onAuth(auth, _session, done) {
      const isRight = auth.username === user?.name && auth.password === user?.password;
      done(isRight ? null : fault(535, 'wrong password'), isRight ? { user: auth.username } : undefined);
    },
    onRcptTo({ address }, _session, done) {
      const isRefused = state.manner === 'refuse-recipient' && address.startsWith('gone@');
      done(isRefused ? fault(550, 'no such mailbox') : null);
    },
    async onData(stream, session, done) {
      const cut = () => {
        for (const socket of sockets) socket.destroy();
      };
      if (state.manner === 'cut-midway') return void stream.once('data', cut);
      const bytes = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>));
      if (state.manner === 'defer') return done(fault(451, 'try later'));
      if (state.manner === 'refuse') return done(fault(554, 'not wanted'));
      const email = await PostalMime.parse(bytes);
      const envelopeTo = session.envelope.rcptTo.map(({ address }) => address);
      mails.push({ ...email, envelopeTo, raw: bytes.toString('utf8') });
      wake(waiting);
      wake(begun);
      if (state.manner === 'hang') return;
      if (state.manner === 'drop') return cut();
      done();
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}?tls=none`,
    get manner() {
      return state.manner;
    },
    set manner(manner) {
      state.manner = manner;
    },
    mails,
    async mail(n) {
      while (mails[n] === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
      return mails[n];
    },
    begun: () => new Promise<void>((resolve) => begun.push(resolve)),
    async close() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
