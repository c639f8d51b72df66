import { createAgent } from 'uraiden-pi'

const { RPC = 'http://127.0.0.1:8545', URL = 'http://127.0.0.1:5000/reading' } = process.env
const agent = await createAgent({
  key: { file: 'agent-key' }, // a keystore: add password or passwordFile
  rpcUrl: RPC,
  chainId: 31337,
  contract: process.env.CONTRACT ?? '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  store: 'agent-state', // the ledger; keep it
  budget: { request: '0.01 TKN', day: '1 TKN' },
})
const { payment, json } = await agent.get(URL)
console.log(json(), payment?.cost)
await agent.stop()
