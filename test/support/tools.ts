// What some tests need of the machine. Where it is missing they are not run, which is neither a failure nor a
// success: ava counts them as skipped, ./scripts/test names them at its end. In CI a missing tool is a failure.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ava, { type ExecutionContext, type SerialFn, type TestFn } from 'ava'
import { findGeth } from '../lab/geth/binary.ts'
import { findPostgres } from '../lab/postgres/binaries.ts'

interface Tool {
  readonly name: string
  readonly isThere: () => boolean
  /** How one gets it. */
  readonly remedy: string
}

type Declare = (title: string, run: (t: ExecutionContext) => unknown) => void

/**
 * Declares tests that need `tools`, where `test` declares others. `NOT_RUN` in the environment names a file
 * that learns of each suite that did not run, and why.
 */
export function needing(test: TestFn | SerialFn, ...tools: readonly [Tool, ...Tool[]]): Declare {
  const missing = tools.filter((tool) => !isThere(tool))
  if (missing.length === 0) return test
  const why = missing.map(({ name, remedy }) => `${name} is missing (${remedy})`).join(', ')
  if (process.env.CI === 'true') return (title) => test(title, (t) => t.fail(why))
  return (title) => {
    const { NOT_RUN: notRun } = process.env
    const file = fileURLToPath(ava.meta.file).replace(`${process.cwd()}/`, '')
    if (notRun !== undefined) appendFileSync(notRun, `${file}: ${title}: ${why}\n`)
    test.skip(`${title} (NOT RUN: ${why})`, (t) => t.pass())
  }
}

const known = new Map<Tool, boolean>()

/** Tried once in each process. */
function isThere(tool: Tool): boolean {
  const found = known.get(tool) ?? tool.isThere()
  known.set(tool, found)
  return found
}

/** One on the path that says its version. */
function program(name: string, remedy: string, ...version: readonly string[]): Tool {
  return { name, remedy, isThere: () => succeeds(name, ...version) }
}

/** Of the documentation site. */
export const siteTools = fileURLToPath(new URL('../../site', import.meta.url))

/** `./scripts/test` puts it there. */
export const oldestNode = fileURLToPath(new URL('../../.node/20.11.0/bin/node', import.meta.url))

/** A folder of its own, with a lock file of its own. */
export const grafanaSchema = fileURLToPath(new URL('../lab/grafana', import.meta.url))

/** A folder of its own, with a lock file of its own: other package managers and runtimes, checks of packages. */
const packageTools = fileURLToPath(new URL('../lab/package-tools/node_modules', import.meta.url))
const bunCpu = process.arch === 'arm64' ? 'aarch64' : process.arch

/** Programs of that folder. */
export const packagePrograms = {
  attw: `${packageTools}/.bin/attw`,
  bun: `${packageTools}/@oven/bun-linux-${bunCpu}/bin/bun`,
  deno: `${packageTools}/@deno/linux-${process.arch}-glibc/deno`,
  pnpm: `${packageTools}/@pnpm/exe.linux-${process.arch}/pnpm`,
  publint: `${packageTools}/.bin/publint`,
} as const

const packageTool = (name: keyof typeof packagePrograms): Tool => ({
  name,
  remedy: 'npm ci --ignore-scripts --prefix test/lab/package-tools',
  isThere: () => succeeds(packagePrograms[name], '--version'),
})

export const tools = {
  attw: packageTool('attw'),
  bun: packageTool('bun'),
  caddy: program('caddy', 'apt-get install caddy', 'version'),
  cargo: program('cargo', 'apt-get install cargo', '--version'),
  clang: {
    name: 'clang-14 and wasm-ld-14',
    remedy: 'apt-get install clang-14 lld-14',
    isThere: () => succeeds('clang-14', '--version') && succeeds('wasm-ld-14', '--version'),
  },
  script: program('script', 'apt-get install bsdutils', '--version'),
  deno: packageTool('deno'),
  curl: program('curl', 'apt-get install curl', '--version'),
  dpkgDeb: program('dpkg-deb', 'apt-get install dpkg', '--version'),
  fish: program('fish', 'apt-get install fish', '--version'),
  gpg: program('gpg', 'apt-get install gnupg', '--version'),
  grafanaSchema: {
    name: '@grafana/schema',
    remedy: 'npm ci --ignore-scripts in test/lab/grafana',
    isThere: () => existsSync(`${grafanaSchema}/node_modules/@grafana/schema/package.json`),
  },
  haproxy: program('haproxy', 'apt-get install haproxy', '-v'),
  man: program('man', 'apt-get install man-db', '--version'),
  nginx: program('nginx', 'apt-get install nginx', '-v'),
  pnpm: packageTool('pnpm'),
  postgres: {
    name: 'PostgreSQL',
    remedy: 'apt-get install postgresql',
    isThere: () => findPostgres() !== undefined,
  },
  prlimit: program('prlimit', 'apt-get install util-linux', '--version'),
  publint: packageTool('publint'),
  python3: program('python3', 'apt-get install python3', '--version'),
  site: {
    name: 'VitePress',
    remedy: './scripts/site installs it',
    isThere: () => existsSync(`${siteTools}/node_modules/vitepress/package.json`),
  },
  ssh: program('ssh', 'apt-get install openssh-client', '-V'),
  systemdAnalyze: program('systemd-analyze', 'apt-get install systemd', '--version'),
  systemdCreds: {
    name: 'systemd-creds and the right to this machine’s secret',
    remedy: 'apt-get install systemd, and run the tests as root',
    isThere: () => succeeds('systemd-creds', 'encrypt', '--name=tried', '-', '-'),
  },
  systemdNotify: program('systemd-notify', 'apt-get install systemd', '--version'),
  zsh: program('zsh', 'apt-get install zsh', '--version'),
  geth: {
    name: 'geth',
    remedy: './scripts/geth --install',
    isThere: () => findGeth() !== undefined,
  },
  /** Programs of others that speak x402. */
  x402: {
    name: 'the packages of x402',
    remedy: 'npm ci --ignore-scripts --prefix bench/peers',
    isThere: () => existsSync(new URL('../../bench/peers/node_modules/@x402', import.meta.url)),
  },
  /** The oldest that the agent runs on. */
  oldestNode: {
    name: 'Node 20.11.0',
    remedy: './scripts/test brings it',
    isThere: () => succeeds(oldestNode, '--version'),
  },
  mounts: {
    name: 'the right to mount',
    remedy: 'run the tests as root',
    isThere: () => succeeds('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'),
  },
  ownNetwork: {
    name: 'the right to a network of its own',
    remedy: 'run the tests as root',
    isThere: () => succeeds('unshare', '-rn', 'ip', 'link', 'set', 'lo', 'up'),
  },
} as const satisfies { readonly [name: string]: Tool }

/** Debian has servers where only root looks for programs. */
export const pathWithSbin = `${process.env.PATH}:/usr/sbin`

function succeeds(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { env: { ...process.env, PATH: pathWithSbin } }).status === 0
}
