// ./scripts/sensor-receiver: a receiver that sells readings of a simulated thermometer, for hands-on
// work on ./scripts/chain.
import { Command, InvalidArgumentError } from 'commander'
import { createKeySigner } from '../../platform/keys/index.ts'
import {
  type Address,
  formatAmount,
  fromHex,
  parseAmount,
  parseTypedAddress,
} from '../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../receiver/index.ts'
import { simulatedThermometer } from './demo/thermometer.ts'
import { argument, integer } from './shared/arguments.ts'
import { createStarted, listening, runScript, type Started, stopRequest } from './shared/script.ts'

interface Options {
  readonly rpc: string
  readonly contract: Address
  readonly key: Uint8Array
  readonly price: string
  readonly port: number
  readonly state: string
}

function parseKey(text: string): Uint8Array {
  const key = argument(fromHex)(text)
  if (key.length !== 32) throw new InvalidArgumentError('Write 0x and 64 hex digits.')
  return key
}

const options = new Command('sensor-receiver')
  .description('sells readings of a simulated thermometer, for hands-on work on ./scripts/chain')
  .requiredOption('--contract <address>', 'the channels contract', argument(parseTypedAddress))
  .requiredOption('--key <hex>', 'a test key for the receiver: it is visible to all', parseKey)
  .requiredOption('--state <folder>', 'for balance proofs; made if missing')
  .option('--rpc <url>', 'JSON-RPC endpoint', 'http://127.0.0.1:8545')
  .option('--price <amount>', 'of a reading', '0.005')
  .option('--port <number>', 'TCP port on 127.0.0.1', integer(0, 65535), 5000)
  .parse()
  .opts<Options>()

await runScript('sensor-receiver', () => serve(options))

async function serve(given: Options): Promise<void> {
  const asked = stopRequest()
  const started = createStarted()
  try {
    process.stdout.write(await start(given, started.add))
    await asked
  } finally {
    await started.stop()
  }
}

/** Resolves with what a person is told. @throws UraidenError `port_in_use`, those of `startReceiver` */
async function start(
  { rpc, contract, key, price, port, state }: Options,
  add: Started['add'],
): Promise<string> {
  const receiver = await startReceiver({
    signer: createKeySigner(key),
    rpcUrl: rpc,
    contract,
    state,
    pollInterval: 500,
    // Its chain makes a block for each transaction, and none after it.
    confirmations: 1,
  })
  add(() => receiver.stop())
  const path = '/sensors/temperature'
  const amount = parseAmount(price, receiver.token)
  await receiver.synced
  const server = await createReceiverServer(receiver, [
    { path, price: amount, handler: simulatedThermometer() },
  ])
  add(() => server.close())
  const url = await listening(port, () => server.listen({ host: '127.0.0.1', port }))
  return `receiver ${receiver.address}\n${url}${path}   ${formatAmount(amount, receiver.token)} a reading\n`
}
