// Gateways of Debian in front of receivers, with the configurations of docs/guides: files in a temporary folder,
// ports on loopback, no rights needed.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { endWithParent } from '../lab/processes/end-with-parent.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from './folder.ts'
import { pathWithSbin } from './tools.ts'
import { until } from './until.ts'

export type GatewayKind = 'nginx' | 'haproxy' | 'caddy'

const certificates = fileURLToPath(new URL('./certificates/', import.meta.url))
const guides = fileURLToPath(new URL('../../docs/guides/', import.meta.url))

interface Configuration {
  readonly kind: GatewayKind
  /** Its first line, after `# `. */
  readonly name: string
  /** Of docs/guides; `docs/guides/gateways.md` when not given. */
  readonly guide?: string
}

/** The configuration of the guide with this first line, without the line. */
function fromGuide({ kind, name, guide = 'gateways.md' }: Configuration): string {
  const text = readFileSync(join(guides, guide), 'utf8')
  const blocks = text.matchAll(/^```(\w+)\n# (.*)\n((?:.|\n)*?)^```$/gm)
  for (const [, language, title, text] of blocks) {
    if (language === kind && title === name) return text ?? ''
  }
  throw new Error(`docs/guides/${guide} has no ${kind} configuration “${name}”`)
}

interface Prepared {
  /** What goes around the guide's part. */
  readonly text: (part: string) => string
  readonly command: (folder: string, file: string) => readonly [string, ...string[]]
}

const prepared: Readonly<Record<GatewayKind, Prepared>> = {
  nginx: {
    text: (part) => `
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      daemon off;
      pid nginx.pid;
      error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        ${part}
      }`,
    command: (folder, file) => ['nginx', '-e', 'stderr', '-p', folder, '-c', file],
  },
  haproxy: {
    text: (part) =>
      `defaults\n  mode http\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n${part}`,
    command: (_, file) => ['haproxy', '-db', '-f', file],
  },
  caddy: {
    text: (part) => `{\n  admin off\n  auto_https off\n}\n${part}`,
    command: (_, file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  },
}

/** Root of the gateway before one receiver, which the guide has at 127.0.0.1:5000; gone when the test ends. */
export function startGateway(
  t: ExecutionContext,
  upstream: string,
  configuration: Configuration,
): Promise<string> {
  const to = new URL(upstream).host
  return startWith(t, configuration.kind, fromGuide(configuration).replaceAll('127.0.0.1:5000', to))
}

/** A receiver, and where it says whether it is ready. */
export interface Upstream {
  readonly port: number
  readonly opsPort: number
}

/** Before several, which the guide has at 10.0.0.1:5000, 10.0.0.2:5000 and so on, with ops.listen at port 9402. */
export function startBalancer(
  t: ExecutionContext,
  upstreams: readonly Upstream[],
  configuration: Configuration,
): Promise<string> {
  const lines = fromGuide(configuration).split('\n')
  const part = lines.map((line) => {
    const [, number] = /10\.0\.0\.(\d+):5000/.exec(line) ?? []
    const upstream = upstreams[Number(number) - 1]
    if (upstream === undefined) return line
    const to = `127.0.0.1:${upstream.port}`
    return line
      .replace(`10.0.0.${number}:5000`, to)
      .replace('port 9402', `port ${upstream.opsPort}`)
  })
  return startWith(t, configuration.kind, part.join('\n'))
}

async function startWith(
  t: ExecutionContext,
  kind: GatewayKind,
  configuration: string,
): Promise<string> {
  const folder = await temporaryFolder(t)
  await copyFile(join(certificates, 'ca-first.pem'), join(folder, 'tls.pem'))
  await copyFile(join(certificates, 'ca-first.key'), join(folder, 'tls.key'))
  const port = await freePort()
  const here = kind === 'caddy' ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`
  const part = configuration.replaceAll(/(?<=listen )\d+|:8080/g, here)
  const { text, command } = prepared[kind]
  const file = join(folder, 'gateway.conf')
  await writeFile(file, `${text(part)}\n`)
  await mkdir(join(folder, 'home'))
  const [program, ...args] = command(folder, file)
  const child = spawn(program, args, {
    env: { ...process.env, PATH: pathWithSbin, HOME: join(folder, 'home'), XDG_DATA_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithParent(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      said += chunk
    })
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await until(() => {
    if (child.exitCode !== null) throw new Error(`${program} ended:\n${said}`)
    return accepts(port)
  })
  return `${/\bssl\b/.test(part) ? 'https' : 'http'}://127.0.0.1:${port}`
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
