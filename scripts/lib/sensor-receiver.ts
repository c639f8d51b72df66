// ./scripts/sensor-receiver: a receiver that sells readings of a simulated thermometer, for hands-on
// work on ./scripts/chain.
import { Command, InvalidArgumentError } from 'commander'
import { createKeySigner } from '../../platform/keys/index.ts'
import {
  type Address,
  formatAmount,
  fromHex,
  isUraidenError,
  parseAmount,
  parseTypedAddress,
  type UraidenError,
} from '../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../receiver/index.ts'
import { simulatedThermometer } from './demo/thermometer.ts'
import { argument } from './shared/arguments.ts'

interface Options {
  readonly rpc: string
  readonly contract: Address
  readonly key: Uint8Array
  readonly price: string
  readonly port: string
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
  .option('--port <number>', 'TCP port on 127.0.0.1', '5000')
  .parse()
  .opts<Options>()

async function serve({ rpc, contract, key, price, port, state }: Options): Promise<void> {
  const receiver = await startReceiver({
    signer: createKeySigner(key),
    rpcUrl: rpc,
    contract,
    state,
    pollInterval: 500,
    // Its chain makes a block for each transaction, and none after it.
    confirmations: 1,
  })
  const path = '/sensors/temperature'
  const amount = parseAmount(price, receiver.token)
  await receiver.synced
  const server = await createReceiverServer(receiver, [
    { path, price: amount, handler: simulatedThermometer() },
  ])
  const url = await server.listen({ host: '127.0.0.1', port: Number(port) })
  process.stdout.write(
    `receiver ${receiver.address}\n${url}${path}   ${formatAmount(amount, receiver.token)} a reading\n`,
  )
  const stop = async () => {
    await server.close()
    await receiver.stop()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

serve(options).catch((error: UraidenError | Error) => {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`sensor-receiver: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exit(1)
})
