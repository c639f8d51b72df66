// The signature of one voucher of mppx's sessions, signed and verified as its client and its server do: no HTTP,
// no books. Says microseconds of CPU for each.
import { Session } from 'mppx/tempo'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const [key, rounds] = process.argv.slice(2)
const { signVoucher, verifyVoucher } = Session.Precompile.Voucher
const account = privateKeyToAccount(key)
const client = createWalletClient({ account, transport: http('http://127.0.0.1:9') })
const escrow = '0x4d50500000000000000000000000000000000000'
const channelId = `0x${'ab'.repeat(32)}`

const signed = []
async function each(run) {
  let before = process.cpuUsage()
  for (let round = -20; round < Number(rounds); round++) {
    if (round === 0) before = process.cpuUsage()
    await run(round + 20)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / Number(rounds)
}
const agent = await each(async (round) => {
  const voucher = { channelId, cumulativeAmount: BigInt(round + 1) }
  const signature = await signVoucher(client, account, voucher, escrow, 31337)
  signed.push({ ...voucher, signature })
})
const receiver = await each(async (round) => {
  if (!verifyVoucher(escrow, 31337, signed[round], account.address)) throw new Error('refused')
})
process.send({ agent, receiver })
process.disconnect()
