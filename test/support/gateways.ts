// Gateways of Debian in front of a receiver, with the configurations of docs/guides/gateways.md: files in a
// temporary folder, ports on loopback, no rights needed.
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
const guide = fileURLToPath(new URL('../../docs/guides/gateways.md', import.meta.url))

/** The configuration of the guide with this first line, without the line. */
function fromGuide(kind: GatewayKind, name: string): string {
  const blocks = readFileSync(guide, 'utf8').matchAll(/^```(\w+)\n# (.*)\n((?:.|\n)*?)^```$/gm)
  for (const [, language, title, text] of blocks) {
    if (language === kind && title === name) return text ?? ''
  }
  throw new Error(`docs/guides/gateways.md has no ${kind} configuration “${name}”`)
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

/** Root of the gateway; gone when the test ends. */
export async function startGateway(
  t: ExecutionContext,
  upstream: string,
  { kind, name }: { readonly kind: GatewayKind; readonly name: string },
): Promise<string> {
  const folder = await temporaryFolder(t)
  await copyFile(join(certificates, 'ca-first.pem'), join(folder, 'tls.pem'))
  await copyFile(join(certificates, 'ca-first.key'), join(folder, 'tls.key'))
  const port = await freePort()
  const here = kind === 'caddy' ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`
  const part = fromGuide(kind, name)
    .replaceAll('127.0.0.1:5000', new URL(upstream).host)
    .replaceAll(/(?<=listen )\d+|:8080/g, here)
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
