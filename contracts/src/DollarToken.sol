// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/src/tokens/ERC20.sol";
import {SignatureCheckerLib} from "solady/src/utils/SignatureCheckerLib.sol";

/// @title A token for tests and test networks that is paid by signature, as USDC is
/// @notice ERC-20 with EIP-2612 permit (Solady) and EIP-3009: with v, r and s, and with bytes for accounts that are
/// contracts (ERC-1271). Six decimals.
contract DollarToken is ERC20 {
    /// @notice Only the payee may take what was authorized for it to receive.
    error NotPayee();
    /// @notice The authorization is not good yet.
    error NotYetValid();
    /// @notice The authorization is not good any more.
    error Expired();
    /// @notice The authorization was used or cancelled.
    error AuthorizationUsedOrCanceled();
    /// @notice Its account has not signed this.
    error NotSigned();

    /// @notice An authorization has moved tokens.
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    /// @notice Its account has taken an authorization back.
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    bytes32 private constant _TRANSFER_TYPE = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant _RECEIVE_TYPE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant _CANCEL_TYPE = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    /// @notice True once an authorization was used or cancelled.
    mapping(address => mapping(bytes32 => bool)) public authorizationState;

    string private _name;
    string private _symbol;

    /// @param supply For the deployer, in the smallest unit.
    /// @param token_name For people, and in what is signed.
    /// @param token_symbol For people.
    constructor(uint256 supply, string memory token_name, string memory token_symbol) {
        _name = token_name;
        _symbol = token_symbol;
        _mint(msg.sender, supply);
    }

    function name() public view override returns (string memory) {
        return _name;
    }

    function symbol() public view override returns (string memory) {
        return _symbol;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Of the domain (EIP-712); USDC has the same.
    function version() public pure returns (string memory) {
        return "2";
    }

    /// @notice Moves what `from` has authorized. Anybody may send it.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _use(_TRANSFER_TYPE, from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v));
    }

    /// @notice The same with a signature of any length.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _use(_TRANSFER_TYPE, from, to, value, validAfter, validBefore, nonce, signature);
    }

    /// @notice Moves what `from` has authorized `to` to receive. Only `to` may send it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (to != msg.sender) revert NotPayee();
        _use(_RECEIVE_TYPE, from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v));
    }

    /// @notice The same with a signature of any length.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        if (to != msg.sender) revert NotPayee();
        _use(_RECEIVE_TYPE, from, to, value, validAfter, validBefore, nonce, signature);
    }

    /// @notice Takes back an authorization that was not used yet.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        if (authorizationState[authorizer][nonce]) revert AuthorizationUsedOrCanceled();
        _checkSigned(authorizer, keccak256(abi.encode(_CANCEL_TYPE, authorizer, nonce)), abi.encodePacked(r, s, v));
        authorizationState[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _use(
        bytes32 kind,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) private {
        if (block.timestamp <= validAfter) revert NotYetValid();
        if (block.timestamp >= validBefore) revert Expired();
        if (authorizationState[from][nonce]) revert AuthorizationUsedOrCanceled();
        _checkSigned(from, keccak256(abi.encode(kind, from, to, value, validAfter, validBefore, nonce)), signature);
        authorizationState[from][nonce] = true;
        emit AuthorizationUsed(from, nonce);
        _transfer(from, to, value);
    }

    function _checkSigned(address account, bytes32 structHash, bytes memory signature) private view {
        bytes32 digest = keccak256(abi.encodePacked(bytes2(0x1901), DOMAIN_SEPARATOR(), structHash));
        if (!SignatureCheckerLib.isValidSignatureNow(account, digest, signature)) revert NotSigned();
    }

    /// @dev Of the domain.
    function _versionHash() internal pure override returns (bytes32) {
        return keccak256("2");
    }

    /// @dev Solady would let Permit2 spend everybody's tokens; a plain token does not.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
