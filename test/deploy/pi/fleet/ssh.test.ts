// What ssh is called with, and what its complaints mean.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import type { HostSettings } from '../../../../deploy/pi/fleet/hosts/inventory.ts'
import {
  quoted,
  remoteCommand,
  sshError,
  sshOptions,
} from '../../../../deploy/pi/fleet/hosts/ssh.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { needing, tools } from '../../../support/tools.ts'

const ssh = { user: 'pi', port: 22, hostKeys: 'strict' } as const
const host: HostSettings = {
  name: 'kitchen',
  address: '10.0.0.2',
  ssh,
  budget: {},
  values: {},
  funding: {},
  importKey: undefined,
}

test('it never asks a person, and an unknown host key is refused', (t) => {
  const options = sshOptions(ssh, '/tmp/x/%C').join(' ')
  t.regex(options, /-o BatchMode=yes/)
  t.regex(options, /-o StrictHostKeyChecking=yes/)
  t.regex(sshOptions({ ...ssh, hostKeys: 'accept-new' }, 'c').join(' '), /=accept-new/)
})

test('a password is used only when it is named, and is on no command line', (t) => {
  t.false(sshOptions(ssh, 'c').join(' ').includes('PreferredAuthentications'))
  const options = sshOptions({ ...ssh, passwordFile: '/secret/file' }, 'c').join(' ')
  t.regex(options, /PreferredAuthentications=password,keyboard-interactive/)
  t.regex(options, /NumberOfPasswordPrompts=1/)
  t.false(options.includes('secret'))
})

for (const [question, answers] of [
  ["pi@10.0.0.2's password: ", true],
  ['(pi@10.0.0.2) Password: ', true],
  ["pi@jump.example's password: ", false],
  ['(pi@jump.example) Password: ', false],
  ["(pi@jump.example) pi@10.0.0.2's password: ", false],
  ["xpi@10.0.0.2's password: ", false],
  ["pi@10.0.0.22's password: ", false],
  ["Enter passphrase for key '/home/me/.ssh/id_ed25519': ", false],
  ['The authenticity of host cannot be established. Continue (yes/no)? ', false],
] as const) {
  test(`asked “${question}”, the password of pi@10.0.0.2 is ${answers ? 'given' : 'not given'}`, async (t) => {
    const file = join(await temporaryFolder(t), 'password')
    await writeFile(file, 'raspberry\nmore\n')
    const env = {
      PATH: process.env.PATH,
      URAIDEN_SSH_PASSWORD_FILE: file,
      URAIDEN_SSH_PASSWORD_FOR: 'pi@10.0.0.2',
    }
    const asked = promisify(execFile)('deploy/pi/askpass', [question], { env })
    if (answers) t.is((await asked).stdout, 'raspberry\n')
    else t.is(((await t.throwsAsync(asked, { any: true })) as { stdout?: string }).stdout, '')
  })
}

needing(test, tools.ssh)(
  'a path with a space or a percent sign reaches ssh as it is',
  async (t) => {
    const options = sshOptions({ ...ssh, knownHosts: '/a b/100%/known' }, '/tmp/c')
    const { stdout } = await promisify(execFile)('ssh', [...options, '-G', 'example.invalid'])
    t.regex(stdout, /^userknownhostsfile .*\/a b\/100%%?\/known/m)
  },
)

test('only root needs no sudo, and sudo asks for no password', (t) => {
  t.is(remoteCommand('root', 'x', ['facts']), "'sh' '-c' 'x' 'host.sh' 'facts'")
  t.is(remoteCommand('pi', 'x', ['facts']), "sudo -n 'sh' '-c' 'x' 'host.sh' 'facts'")
})

test('whatever an argument holds, the shell at the other end gets it as it was', async (t) => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')))
  await fc.assert(
    fc.asyncProperty(texts, async (all) => {
      const line = ['printf', '%s\\0', 'begin', ...all].map(quoted).join(' ')
      const { stdout } = await promisify(execFile)('sh', ['-c', line])
      t.deepEqual(stdout.split('\0').slice(1, -1), all)
    }),
    { numRuns: 30 },
  )
})

const said: readonly (readonly [string, string])[] = [
  ['Host key verification failed.', 'ssh_host_key'],
  [
    '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
    'ssh_host_key',
  ],
  ['pi@10.0.0.2: Permission denied (publickey,password).', 'ssh_denied'],
  ['Received disconnect from 10.0.0.2: Too many authentication failures', 'ssh_denied'],
  ['ssh: connect to host 10.0.0.2 port 22: Connection refused', 'ssh_unreachable'],
  ['ssh: connect to host 10.0.0.2 port 22: Connection timed out', 'ssh_unreachable'],
  ['ssh: connect to host 10.0.0.2 port 22: No route to host', 'ssh_unreachable'],
  ['ssh: Could not resolve hostname kitchen: Name or service not known', 'ssh_unreachable'],
  ['kex_exchange_identification: Connection closed by remote host', 'ssh_unreachable'],
  ['Bad configuration option: nonsense', 'ssh_failed'],
  ['', 'ssh_failed'],
]

for (const [text, code] of said) {
  test(`${code}: ${text.split('\n')[0] || 'nothing said'}`, (t) => {
    const error = sshError(host, text)
    t.is(error.code, code)
    t.true(error.hint.length > 0)
  })
}

test('a refused password names the file, not what is in it', (t) => {
  const locked = { ...host, ssh: { ...ssh, passwordFile: '/etc/pi-password' } }
  t.regex(sshError(locked, 'Permission denied').hint, /first line of \/etc\/pi-password/)
})
