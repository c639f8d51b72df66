// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "solady/src/utils/ECDSA.sol";
import {EIP712} from "solady/src/utils/EIP712.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

/// @title What senders and receivers sign
/// @notice Hashes and recovers balance proofs and closing agreements in both forms: EIP-712 with a
/// domain that binds chain and contract, and the hash of the EIP-712 draft of 2017 that programs of
/// version 0.2 sign. A signature is r ‖ s ‖ v (65 bytes, v 0, 1, 27 or 28) or r ‖ vs of EIP-2098
/// (64 bytes), with s in the lower half of the group's order.
abstract contract ChannelSignatures is EIP712 {
    /// @notice The bytes are no signature: wrong length, high s, impossible v, or made by no key.
    error InvalidSignature();

    bytes32 private constant BALANCE_PROOF_TYPE =
        keccak256("BalanceProof(address receiver,uint32 block_created,uint192 balance)");
    bytes32 private constant CLOSING_AGREEMENT_TYPE =
        keccak256("ClosingAgreement(address sender,uint32 block_created,uint192 balance)");
    bytes32 private constant OPEN_CHANNEL_TYPE = keccak256(
        "OpenChannel(address sender,address receiver,uint192 deposit,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant TOP_UP_TYPE = keccak256(
        "TopUp(address sender,address receiver,uint32 block_created,uint192 added_deposit,uint256 nonce,uint256 deadline)"
    );

    bytes32 private constant SEED_BALANCE_PROOF_SCHEMA = keccak256(
        abi.encodePacked(
            "string message_id", "address receiver", "uint32 block_created", "uint192 balance", "address contract"
        )
    );
    bytes32 private constant SEED_CLOSING_SCHEMA = keccak256(
        abi.encodePacked(
            "string message_id", "address sender", "uint32 block_created", "uint192 balance", "address contract"
        )
    );

    /// @notice The address that signed a balance proof in the form of version 0.2.
    /// @param _receiver_address The address that receives tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the sender owes the receiver, in the token's smallest unit.
    /// @param _balance_msg_sig The sender's signature.
    /// @return The signer: the sender, if the other arguments are those that it signed.
    function extractBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external view returns (address) {
        return
            _requireSigner(_seedBalanceProof(_receiver_address, _open_block_number, _balance), _balance_msg_sig);
    }

    /// @notice The address that signed a closing agreement in the form of version 0.2.
    /// @param _sender_address The address that sends tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the receiver is content with, in the token's smallest unit.
    /// @param _closing_sig The receiver's signature.
    /// @return The signer: the receiver, if the other arguments are those that it signed.
    function extractClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) external view returns (address) {
        return _requireSigner(_seedClosing(_sender_address, _open_block_number, _balance), _closing_sig);
    }

    /// @notice The address that signed an EIP-712 `BalanceProof`.
    /// @param _receiver_address The address that receives tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the sender owes the receiver, in the token's smallest unit.
    /// @param _balance_msg_sig The sender's signature.
    /// @return The signer: the sender, if the other arguments are those that it signed.
    function extractTypedBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external view returns (address) {
        return
            _requireSigner(_typedBalanceProof(_receiver_address, _open_block_number, _balance), _balance_msg_sig);
    }

    /// @notice The address that signed an EIP-712 `ClosingAgreement`.
    /// @param _sender_address The address that sends tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the receiver is content with, in the token's smallest unit.
    /// @param _closing_sig The receiver's signature.
    /// @return The signer: the receiver, if the other arguments are those that it signed.
    function extractTypedClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) external view returns (address) {
        return _requireSigner(_typedClosing(_sender_address, _open_block_number, _balance), _closing_sig);
    }

    function _typedBalanceProof(address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes32)
    {
        return _hashTypedData(_hashFour(BALANCE_PROOF_TYPE, receiver, openBlock, balance));
    }

    function _seedBalanceProof(address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes32)
    {
        bytes32 values =
            keccak256(abi.encodePacked("Sender balance proof signature", receiver, openBlock, balance, address(this)));
        return EfficientHashLib.hash(SEED_BALANCE_PROOF_SCHEMA, values);
    }

    function _openChannelHash(address sender, address receiver, uint192 deposit, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        return
            _hashTypedData(keccak256(abi.encode(OPEN_CHANNEL_TYPE, sender, receiver, deposit, nonce, deadline)));
    }

    function _topUpHash(
        address sender,
        address receiver,
        uint32 openBlock,
        uint192 added,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        return _hashTypedData(
            keccak256(abi.encode(TOP_UP_TYPE, sender, receiver, openBlock, added, nonce, deadline))
        );
    }

    /// @dev True when `receiver` signed this agreement, in either form.
    function _isClosingAgreement(
        address receiver,
        address sender,
        uint32 openBlock,
        uint192 balance,
        bytes calldata signature
    ) internal view returns (bool) {
        (bytes32 r, bytes32 vs) = _compact(signature);
        return _recover(_typedClosing(sender, openBlock, balance), r, vs) == receiver
            || _recover(_seedClosing(sender, openBlock, balance), r, vs) == receiver;
    }

    /// @dev A signature of 65 or 64 bytes as r and vs (EIP-2098); zeros, which nobody can have signed,
    /// when the bytes are none.
    function _compact(bytes calldata signature) internal pure returns (bytes32 r, bytes32 vs) {
        // Slices would check their bounds once more; the length decides which bytes are there.
        if (signature.length == 65) {
            assembly ("memory-safe") {
                let s := calldataload(add(signature.offset, 0x20))
                let v := byte(0, calldataload(add(signature.offset, 0x40)))
                if iszero(lt(v, 27)) { v := sub(v, 27) }
                // An s that uses the highest bit is a high one, and v has a single bit there.
                if iszero(or(shr(255, s), gt(v, 1))) {
                    r := calldataload(signature.offset)
                    vs := or(s, shl(255, v))
                }
            }
        } else if (signature.length == 64) {
            assembly ("memory-safe") {
                r := calldataload(signature.offset)
                vs := calldataload(add(signature.offset, 0x20))
            }
        }
    }

    /// @dev The signer, or zero when nobody can have signed this. Of the two signatures that anybody
    /// can make from one, only that with the low s counts (EIP-2).
    function _recover(bytes32 digest, bytes32 r, bytes32 vs) internal view returns (address) {
        if (uint256(vs << 1) >> 1 > ECDSA.N / 2) return address(0);
        return ECDSA.tryRecover(digest, r, vs);
    }

    function _requireSigner(bytes32 digest, bytes calldata signature) internal view returns (address signer) {
        (bytes32 r, bytes32 vs) = _compact(signature);
        signer = _recover(digest, r, vs);
        if (signer == address(0)) revert InvalidSignature();
    }

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("RaidenMicroTransferChannels", "1");
    }

    function _typedClosing(address sender, uint32 openBlock, uint192 balance) private view returns (bytes32) {
        return _hashTypedData(_hashFour(CLOSING_AGREEMENT_TYPE, sender, openBlock, balance));
    }

    function _hashFour(bytes32 typeHash, address party, uint32 openBlock, uint192 balance)
        private
        pure
        returns (bytes32)
    {
        return EfficientHashLib.hash(uint256(typeHash), uint160(party), openBlock, balance);
    }

    function _seedClosing(address sender, uint32 openBlock, uint192 balance) private view returns (bytes32) {
        bytes32 values =
            keccak256(abi.encodePacked("Receiver closing signature", sender, openBlock, balance, address(this)));
        return EfficientHashLib.hash(SEED_CLOSING_SCHEMA, values);
    }
}
