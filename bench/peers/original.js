// How the original's JavaScript checks a balance proof: ethereumjs-util hashes and recovers. It reads proofs from
// its parent, checks them all, and says how many microseconds of CPU one took.
import util from 'ethereumjs-util'

const { ecrecover, fromRpcSig, pubToAddress, toBuffer, bufferToHex } = util
process.once('message', ({ proofs, rounds }) => {
  let before = process.cpuUsage()
  for (let round = -1; round < rounds; round++) {
    if (round === 0) before = process.cpuUsage()
    for (const { digest, signature, sender } of proofs) {
      const { v, r, s } = fromRpcSig(signature)
      const address = bufferToHex(pubToAddress(ecrecover(toBuffer(digest), v, r, s)))
      if (address !== sender) throw new Error(`signed by ${address}, not ${sender}`)
    }
  }
  const { user, system } = process.cpuUsage(before)
  process.send((user + system) / rounds / proofs.length)
  process.disconnect()
})
