// host.sh, which is root on a Raspberry Pi, beside a user of the Pi that means it ill. Its paths are moved into
// a temporary folder; who runs the test plays root, and stands in for the tools that only root can use.
import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { temporaryFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

const script = fileURLToPath(new URL('../../../deploy/pi/host.sh', import.meta.url))

/** Modes mean nothing to the real root. */
const nobody = 65_534
const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}

const agentFolder = 'var/lib/uraiden-agent'

/** The agent's folder is closed but for what runs as the agent's user. */
const tools: Readonly<Record<string, string>> = {
  runuser: `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
chmod 700 "$ROOT/${agentFolder}"
"$@"
code=$?
chmod "$CLOSED" "$ROOT/${agentFolder}"
exit $code
`,
  chown: '#!/bin/sh\n',
  systemctl: '#!/bin/sh\necho ActiveState=active\n',
  journalctl: '#!/bin/sh\nfor each; do echo "[$each]"; done\n',
}

interface Run {
  readonly input?: string
  /** Of the agent's folder, for all but the agent's user. */
  readonly closed?: '000' | '700'
}

async function givenHost(t: ExecutionContext) {
  const root = await temporaryFolder(t)
  const put = async (name: string, text: string, mode = 0o600) => {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text, { mode })
    return join(root, name)
  }
  const folders = [agentFolder, 'etc/uraiden', 'run/lock', 'bin', 'root']
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
  for (const [name, text] of Object.entries(tools)) await put(`bin/${name}`, text, 0o755)
  const text = (await readFile(script, 'utf8'))
    .replaceAll(/(?<![\w/.])\/(var\/lib|etc|run)\//g, `${root}/$1/`)
    .replace('/usr/bin/uraiden-agent', `${root}/bin/uraiden-agent`)
    .replace('flock -w 900', 'flock -w 0')
  await put('host.sh', text)
  const own = async () => {
    if (identity.uid === undefined) return
    const { stdout } = await execute('chown', ['-R', `${nobody}:${nobody}`, root], {})
    t.is(stdout, '')
  }
  const host = async (command: readonly string[], { input = '', closed = '000' }: Run = {}) => {
    await own()
    await chmod(join(root, agentFolder), Number.parseInt(closed, 8))
    const env = { PATH: `${root}/bin:${process.env.PATH}`, ROOT: root, CLOSED: closed }
    const ended = await execute('sh', [join(root, 'host.sh'), ...command], { env, input })
    await chmod(join(root, agentFolder), 0o700)
    return ended
  }
  return { root, at: (name: string) => join(root, name), put, host }
}

function execute(
  program: string,
  args: readonly string[],
  { env = process.env, input = '' }: { env?: NodeJS.ProcessEnv; input?: string },
) {
  const as = program === 'sh' ? identity : {}
  const child = spawn(program, [...args], { env, ...as })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    said.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    said.stderr += chunk
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}

/** Another process has the lock until the test ends. */
async function hold(t: ExecutionContext, lock: string): Promise<void> {
  const command = ['sh', '-c', 'echo held; exec sleep 600']
  const holder = spawn('flock', ['--no-fork', lock, ...command])
  t.teardown(() => holder.kill())
  let held = false
  holder.stdout.once('data', () => {
    held = true
  })
  await until(() => held)
}

test('a link in the agent’s folder does not lead root to another file', async (t) => {
  const { at, put, host } = await givenHost(t)
  const shadow = await put('root/shadow', 'root:*:1::::::\n')
  await symlink(shadow, at(`${agentFolder}/password.new`))

  const { code, stderr } = await host(['password', 'file'], { closed: '700' })

  t.is(code, 0, stderr)
  t.is(await readFile(shadow, 'utf8'), 'root:*:1::::::\n')
  t.regex(await readFile(at(`${agentFolder}/password`), 'utf8'), /^[A-Za-z0-9+/]{43}=$/)
})

test('root itself does not go into the agent’s folder, neither to write nor to read', async (t) => {
  const { at, put, host } = await givenHost(t)
  await put(
    'bin/uraiden-agent',
    `#!/bin/sh\n[ "$1 $2" = 'key import' ] && cp "$3" "$4" && cat "$6" >"$4.password"\n`,
    0o755,
  )

  const made = await host(['password', 'file'])
  t.is(made.code, 0, made.stderr)
  const password = await readFile(at(`${agentFolder}/password`), 'utf8')
  t.is((await stat(at(`${agentFolder}/password`))).mode & 0o777, 0o600)

  const imported = await host(['key-import'], { input: 'old\n{"the":"key"}' })
  t.is(imported.code, 0, imported.stderr)
  t.is(await readFile(at(`${agentFolder}/key.json`), 'utf8'), '{"the":"key"}')
  t.is(await readFile(at(`${agentFolder}/key.json.password`), 'utf8'), password)
})

test('a user of the Pi that takes locks where everybody may stalls nothing', async (t) => {
  const { at, host } = await givenHost(t)
  await chmod(at('run/lock'), 0o1777)
  const lock = at('run/lock/uraiden-provision.lock')
  await writeFile(lock, '')
  await hold(t, lock)

  const { code, stdout, stderr } = await host(['service'])

  t.is(code, 0, stderr)
  t.is(stdout.trim(), 'active')
  // The lock that counts is in a folder of root's.
  t.is((await stat(at('run/uraiden-provision.lock'))).mode & 0o777, 0o600)
})

test('two runs on one Pi still go one after the other', async (t) => {
  const { at, host } = await givenHost(t)
  t.is((await host(['service'])).code, 0)
  await hold(t, at('run/uraiden-provision.lock'))
  t.like(await host(['service']), { code: 1, stdout: '' })
})

test('the journal is read while another run holds the lock, and a time stays one argument', async (t) => {
  const { at, host } = await givenHost(t)
  t.is((await host(['service'])).code, 0)
  await hold(t, at('run/uraiden-provision.lock'))

  const { code, stdout, stderr } = await host(['logs', '20', '1 hour ago; id'])

  t.is(code, 0, stderr)
  t.deepEqual(stdout.trim().split('\n'), [
    ...['[--unit=uraiden-agent]', '[--no-pager]', '[--output=short-iso]', '[--utc]'],
    ...['[--lines=20]', '[--since=1 hour ago; id]'],
  ])
  t.false((await host(['logs', '20'])).stdout.includes('since'))
})
