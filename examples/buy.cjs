const { createAgent } = require('uraiden-pi')

async function main() {
  const agent = await createAgent({
    key: { file: 'agent-key' },
    rpcUrl: process.env.RPC ?? 'http://127.0.0.1:8545',
    chainId: 31337,
    contract: process.env.CONTRACT ?? '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
    store: 'agent-state',
    budget: { request: '0.01 TKN', day: '1 TKN' },
  })
  const { payment, json } = await agent.get(process.env.URL ?? 'http://127.0.0.1:5000/reading')
  console.log(json(), payment?.cost)
  await agent.stop()
}

main()
