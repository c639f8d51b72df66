// https: what is accepted at the start, and how a certificate changes while the receiver runs.
import { chmod, copyFile, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { certificateWarning, readTlsMaterial } from '../../../receiver/tls/material.ts'
import { watchCertificate } from '../../../receiver/tls/reload.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'
import { until } from '../../support/until.ts'

const certificate = (name: string) =>
  fileURLToPath(new URL(`../../support/certificates/${name}`, import.meta.url))
const authority = await readFile(certificate('ca.pem'))

/** What a renewal leaves in the folder, with the modes that it should have. */
async function put(folder: string, cert: string, key = cert): Promise<void> {
  await copyFile(certificate(`ca-${key}.key`), join(folder, 'new'))
  await chmod(join(folder, 'new'), 0o600)
  await rename(join(folder, 'new'), join(folder, 'tls.key'))
  await copyFile(certificate(`ca-${cert}.pem`), join(folder, 'new'))
  await rename(join(folder, 'new'), join(folder, 'tls.pem'))
}

async function given(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  await put(folder, 'first')
  const files = { cert: join(folder, 'tls.pem'), key: join(folder, 'tls.key') }
  return { folder, files }
}

const refused = [
  {
    when: 'the key can be read by others',
    spoil: (folder: string) => chmod(join(folder, 'tls.key'), 0o640),
    code: 'key_file_readable_by_others',
  },
  {
    when: 'the key is of another certificate',
    spoil: (folder: string) => put(folder, 'first', 'second'),
    code: 'certificate_invalid',
  },
  {
    when: 'the certificate is none',
    spoil: (folder: string) => writeFile(join(folder, 'tls.pem'), 'not PEM'),
    code: 'certificate_invalid',
  },
  {
    when: 'the certificate is not there',
    spoil: (folder: string) => rename(join(folder, 'tls.pem'), join(folder, 'elsewhere')),
    code: 'certificate_unreadable',
  },
  {
    when: 'the key is not there',
    spoil: (folder: string) => rename(join(folder, 'tls.key'), join(folder, 'elsewhere')),
    code: 'key_file_missing',
  },
] as const

for (const { when, spoil, code } of refused) {
  test(`nothing starts when ${when}`, async (t) => {
    const { folder, files } = await given(t)
    await spoil(folder)
    await t.throwsAsync(readTlsMaterial(files), { code })
  })

  test(`the old certificate stays, and the log says why, when ${when}`, async (t) => {
    const { folder, files } = await given(t)
    const { certificate: current } = await readTlsMaterial(files)
    await put(folder, 'second')
    await spoil(folder)
    const set: unknown[] = []
    const warnings: object[] = []
    const watch = watchCertificate({
      files,
      current,
      server: { setSecureContext: (options) => set.push(options) },
      log: { info: () => undefined, warn: (facts) => warnings.push(facts) },
      interval: 3_600_000,
    })
    t.teardown(watch.stop)
    await watch.reload()
    t.deepEqual(set, [])
    t.is(watch.certificate(), current)
    t.is(warnings.length, 1)
    t.regex((warnings[0] as { readonly why: string }).why, /tls\.(pem|key)/)
    await put(folder, 'second')
    await watch.reload()
    t.is(set.length, 1)
    t.regex(watch.certificate().subject, /second/)
  })
}

const day = 86_400_000
const from = new Date('2026-01-01T00:00:00Z')
const to = new Date('2026-04-01T00:00:00Z')
const facts = { subject: '', fingerprint: '', validFrom: from, validTo: to }

for (const [now, says] of [
  [from.getTime() - 1, /valid only from/],
  [from.getTime(), undefined],
  [to.getTime() - 14 * day, undefined],
  [to.getTime() - 14 * day + 1, /ends in 13 days/],
  [to.getTime(), /ends in 0 days/],
  [to.getTime() + 1, /ended at/],
] as const) {
  test(`at ${new Date(now).toISOString()} the certificate is warned of: ${says}`, (t) => {
    const warning = certificateWarning(facts, new Date(now))
    if (says === undefined) t.is(warning, undefined)
    else t.regex(warning ?? '', says)
  })
}

function handshake(url: string, options: object = {}): Promise<TLSSocket> {
  const { port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), ca: authority, ...options })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function servedName(url: string): Promise<string> {
  const socket = await handshake(url)
  const { subject } = socket.getPeerCertificate() as PeerCertificate
  socket.destroy()
  return String(subject.CN)
}

function get(
  url: string,
  agent: Agent,
): Promise<{ readonly body: string; readonly reused: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, ca: authority }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      resolve({ body: Buffer.concat(chunks).toString(), reused: asked.reusedSocket })
    })
    asked.once('error', reject)
    asked.end()
  })
}

test.serial(
  'the program speaks https, changes its certificate, and keeps what is connected',
  async (t) => {
    const system = await givenReceiverFolder(t)
    const { folder, contract } = system
    await put(folder, 'first')
    await writeFile(
      join(folder, 'receiver.yaml'),
      [
        `contract: '${contract}'`,
        'key: key',
        'state: state',
        'tls: { cert: tls.pem, key: tls.key }',
      ].join('\n'),
    )
    const program = await startProgram(t, system, ['-c', 'receiver.yaml'])
    t.regex(program.url, /^https:/)
    t.is(await servedName(program.url), 'first')
    await t.throwsAsync(handshake(program.url, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }))
    const old = await handshake(program.url, { maxVersion: 'TLSv1.2' })
    t.is(old.getProtocol(), 'TLSv1.2')
    old.destroy()

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    t.is((await get(`${program.url}/cm`, agent)).body, 'OK')

    await put(folder, 'second', 'first')
    program.kill('SIGHUP')
    await until(() => /the old one stays/.test(program.log()))
    t.is(await servedName(program.url), 'first')

    await put(folder, 'second')
    program.kill('SIGHUP')
    await until(async () => (await servedName(program.url)) === 'second')
    t.deepEqual(await get(`${program.url}/cm`, agent), { body: 'OK', reused: true })
  },
)

test.serial('the files need no signal: a renewal is seen, also through a link', async (t) => {
  const folder = await temporaryFolder(t)
  const [first, second] = [await given(t), await given(t)]
  await put(second.folder, 'second')
  const live = join(folder, 'live')
  await symlink(first.folder, live)
  const files = { cert: join(live, 'tls.pem'), key: join(live, 'tls.key') }
  const { certificate: current } = await readTlsMaterial(files)
  const watch = watchCertificate({
    files,
    current,
    server: { setSecureContext: () => undefined },
    log: { info: () => undefined, warn: () => undefined },
    interval: 20,
  })
  t.teardown(watch.stop)
  await symlink(second.folder, join(folder, 'next'))
  await rename(join(folder, 'next'), live)
  await until(() => /second/.test(watch.certificate().subject))
  t.pass()
})

test.serial(
  'with the options of the documents; half of them is an error that names the other',
  async (t) => {
    const system = await givenReceiverFolder(t)
    const { folder, contract } = system
    await put(folder, 'first')
    const options = ['--private-key', 'key', '--channel-manager-address', contract]
    const program = await startProgram(t, system, [
      ...options,
      ...['--state', 'state', '--ssl-cert', 'tls.pem', '--ssl-key', 'tls.key'],
    ])
    t.is(await servedName(program.url), 'first')
    const half = await runReceiver(folder, [...options, '--ssl-cert', 'tls.pem', 'start'])
    t.is(half.code, 2, half.stderr)
    t.regex(half.stderr, /tls\.key: this is missing/)
  },
)
