// uraiden-receiver doctor: each line says what is so, and what to do.
import { once } from 'node:events'
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'

const certificates = fileURLToPath(new URL('../../support/certificates', import.meta.url))

/** What git checked out others may read. */
async function givenCertificate(folder: string, cert: string, key: string): Promise<void> {
  await cp(join(certificates, cert), join(folder, 'cert.pem'))
  await cp(join(certificates, key), join(folder, 'tls-key.pem'))
  await chmod(join(folder, 'tls-key.pem'), 0o600)
}

async function givenConfig(t: ExecutionContext, more = '') {
  const given = await givenReceiverFolder(t)
  const { folder, contract, chain } = given
  await writeFile(join(folder, 'hello.txt'), 'hello')
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  t.teardown(() => void listener.close())
  await writeFile(
    join(folder, 'receiver.yaml'),
    `rpc: ${chain.rpcUrl}
contract: ${contract}
key: key
state: state
resources:
  /hello: { price: 5 units, files: hello.txt }
${more}`,
  )
  const doctor = async (environment: NodeJS.ProcessEnv = {}) => {
    const { code, stdout, stderr } = await runReceiver(
      folder,
      ['--config', 'receiver.yaml', 'doctor'],
      // The port is free, unless a test says otherwise.
      { URAIDEN_RECEIVER_LISTEN: '127.0.0.1:0', ...environment },
    )
    return { code, text: stdout + stderr }
  }
  return { ...given, doctor, usedAddress: `127.0.0.1:${port}` }
}

test.serial('a healthy receiver, stopped and running', async (t) => {
  const given = await givenConfig(t)
  const { doctor, receiverAccount } = given
  const stopped = await doctor()
  t.is(stopped.code, 0, stopped.text)
  for (const line of [
    /✔ clock +/,
    /✔ chain +chain id 31337, block \d+/,
    /✔ contract +0x\w{40}, version 0\.4\.0, token TKN/,
    /✔ key +0x\w{40}, .*key is readable by its owner only/,
    /! key +The key in .* is not encrypted/,
    /✔ ether +10000 ETH, enough for \d+ transactions/,
    /✔ state +.*state, made when the receiver starts for the first time/,
    /✔ disk +.*MiB free/,
    /✔ port +127\.0\.0\.1:0 is free/,
    /✔ resource +\/hello/,
  ]) {
    t.regex(stopped.text, line)
  }
  t.true(stopped.text.includes(receiverAccount.address))

  const program = await startProgram(t, given, ['--config', 'receiver.yaml'])
  const running = await doctor({ URAIDEN_RECEIVER_LISTEN: new URL(program.url).host })
  t.is(running.code, 0, running.text)
  t.regex(running.text, /✔ state +.*, in use by the running receiver/)
  t.regex(running.text, /✔ port +\S+, in use by the running receiver/)
})

test.serial(
  'what is wrong is said line by line, with a remedy, and the exit code is 1',
  async (t) => {
    const { doctor, chain, receiverAccount, usedAddress, folder } = await givenConfig(
      t,
      `  /gone: { price: 5 units, files: gone.txt }
  /foreign: { price: 5 RDN, files: hello.txt }
  /api/*: { price: 5 units, upstream: 'http://127.0.0.1:9' }
`,
    )
    await chain.provider.send('hardhat_setBalance', [receiverAccount.address, '0x5f5e0ff'])
    await mkdir(join(folder, 'state'), { mode: 0o755 })
    const { code, text } = await doctor({ URAIDEN_RECEIVER_LISTEN: usedAddress })
    t.is(code, 1, text)
    for (const line of [
      /✘ ether +0\.000000000099999999 ETH: nothing is sold, .* Send some to 0x/,
      /✘ disk +Others can read .*state\. Run: chmod 700/,
      /✘ port +\S+ is used by another program: stop it/,
      /✘ resource +resources\.\/gone\.files: .*gone\.txt is not there\. Name a file/,
      /✘ resource +resources\.\/foreign: "5 RDN" is in RDN, but the token here is TKN/,
      /✘ resource +\/api\/\*: http:\/\/127\.0\.0\.1:9 does not answer\. Start it/,
      /✔ resource +\/hello/,
    ]) {
      t.regex(text, line)
    }
  },
)

test.serial('with ether at its limit, or a state of another receiver, or no node', async (t) => {
  const given = await givenConfig(t)
  const { doctor, chain, receiverAccount, folder, contract } = given
  await chain.provider.send('hardhat_setBalance', [receiverAccount.address, '0x5f5e100'])
  t.regex(
    (await doctor()).text,
    /! ether +0\.0000000001 ETH; one answer to a dishonest close may cost/,
  )

  const program = await startProgram(t, given, ['--config', 'receiver.yaml'])
  program.kill('SIGTERM')
  await program.ended
  await writeFile(join(folder, 'other'), chain.accounts[3]?.privateKey ?? '', { mode: 0o600 })
  const other = await doctor({ URAIDEN_RECEIVER_KEY: 'other' })
  t.is(other.code, 1)
  t.regex(other.text, /✘ state +.*state belongs to the receiver 0x\w+\. Use another one/)

  const alone = await doctor({ URAIDEN_RECEIVER_RPC: 'http://127.0.0.1:9' })
  t.is(alone.code, 1)
  t.regex(alone.text, /✘ chain +The Ethereum node at http:\/\/127\.0\.0\.1:9 does not answer/)
  t.regex(alone.text, /✔ state/)
  t.true(alone.text.includes(contract) === false)
})

test.serial(
  'a certificate that is good, that has a foreign key, that others can read',
  async (t) => {
    const { doctor, folder } = await givenConfig(t, 'tls: { cert: cert.pem, key: tls-key.pem }\n')
    await givenCertificate(folder, 'ip.pem', 'ip.key')
    t.regex((await doctor()).text, /✔ tls +\S+cert\.pem for CN=\S+, good until 2126-/)
    await givenCertificate(folder, 'ip.pem', 'name.key')
    t.regex((await doctor()).text, /✘ tls +\S+ and \S+ are no certificate and its key/)
    await chmod(join(folder, 'tls-key.pem'), 0o644)
    t.regex((await doctor()).text, /✘ tls +Others can read the file \S+tls-key\.pem/)
  },
)
