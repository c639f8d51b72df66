// Written by `npm run contracts` from contracts/src. Do not edit.
export const delegateAbi = [
  {"inputs":[{"name":"channels_","type":"address"}],"stateMutability":"nonpayable","type":"constructor"},
  {"inputs":[],"name":"NotOwner","type":"error"},
  {"inputs":[],"name":"channels","outputs":[{"name":"","type":"address"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"sender","type":"address"},{"name":"receiver","type":"address"},{"name":"deposit","type":"uint192"}],"name":"createChannel","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[],"name":"owner_address","outputs":[{"name":"","type":"address"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"sender","type":"address"},{"name":"receiver","type":"address"},{"name":"openBlock","type":"uint32"},{"name":"added","type":"uint192"}],"name":"topUp","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"amount","type":"uint256"},{"name":"data","type":"bytes"}],"name":"transferWithData","outputs":[],"stateMutability":"nonpayable","type":"function"},
] as const
