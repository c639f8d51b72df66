/** What is signed, as ethers wants it (EIP-3009, EIP-712). */
const fields = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
]

export const authorizationTypes = { ReceiveWithAuthorization: fields }

export const transferTypes = { TransferWithAuthorization: fields }
