// ABI and addresses of the contracts.
export { channelsAbi } from './abi/channels.ts'
export { tokenAbi } from './abi/token.ts'
export * from './deployments.ts'
