// The part of secp256k1's native binding that is used here; the package brings no types of its own.
declare module 'secp256k1/bindings.js' {
  interface Binding {
    /** The public key as 04 ‖ x ‖ y when `compressed` is false; throws when there is none. */
    readonly ecdsaRecover: (
      rAndS: Uint8Array,
      recoveryId: number,
      digest: Uint8Array,
      compressed: boolean,
    ) => Uint8Array
    /** For benchmarks. */
    readonly publicKeyCreate: (privateKey: Uint8Array, compressed: boolean) => Uint8Array
    /** RFC 6979; for benchmarks. */
    readonly ecdsaSign: (
      digest: Uint8Array,
      privateKey: Uint8Array,
    ) => { readonly signature: Uint8Array; readonly recid: 0 | 1 }
  }
  const binding: Binding
  export = binding
}
