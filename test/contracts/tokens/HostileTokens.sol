// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/src/tokens/ERC20.sol";
import {SignatureCheckerLib} from "solady/src/utils/SignatureCheckerLib.sol";

/// A token that anybody may have, for tests.
abstract contract TestToken is ERC20 {
    constructor() {
        _mint(msg.sender, 1_000_000 ether);
    }

    function name() public pure override returns (string memory) {
        return "Test";
    }

    function symbol() public pure virtual override returns (string memory) {
        return "TST";
    }

    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}

/// ERC-20 and nothing else.
contract PlainToken is TestToken {}

/// Exists, but there is none of it.
contract EmptyToken {
    uint256 public constant totalSupply = 0;
}

/// Keeps a hundredth of every transferFrom.
contract FeeToken is TestToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _burn(from, amount / 100);
        return super.transferFrom(from, to, amount - amount / 100);
    }
}

/// Returns nothing, like the oldest of the large tokens.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply = 1_000_000 ether;

    constructor() {
        balanceOf[msg.sender] = totalSupply;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Refuses transfers to blocked accounts, with a revert, with false, or with rubbish.
contract BlockingToken is TestToken {
    enum Refusal {
        Revert,
        False,
        Rubbish
    }

    mapping(address => bool) public blocked;
    Refusal public refusal;

    function block_(address account, bool isBlocked, Refusal refusal_) external {
        blocked[account] = isBlocked;
        refusal = refusal_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (blocked[to]) {
            if (refusal == Refusal.False) return false;
            if (refusal == Refusal.Rubbish) {
                assembly {
                    mstore(0, 2)
                    return(0, 0x20)
                }
            }
            revert("blocked");
        }
        return super.transfer(to, amount);
    }
}

/// Tells recipients that have code, as the final ERC-223 and ERC-777 do.
contract TellingToken is TestToken {
    function transfer(address to, uint256 amount) public override returns (bool) {
        super.transfer(to, amount);
        if (to.code.length != 0) {
            (bool taken,) = to.call(abi.encodeWithSignature("tokenReceived(address,uint256,bytes)", msg.sender, amount, ""));
            require(taken, "not taken");
        }
        return true;
    }
}

/// EIP-3009 as USDC has it: with v, r and s, and with bytes for accounts that are contracts (ERC-1271). A fee is kept of
/// what it moves, if one was set.
contract AuthorizingToken is TestToken {
    bytes32 public constant RECEIVE_TYPE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    mapping(address => mapping(bytes32 => bool)) public authorizationState;
    uint256 public fee;
    bytes public message;

    function keep(uint256 fee_) external {
        fee = fee_;
    }

    /// Says this to whoever receives, before it moves anything.
    function sayFirst(bytes calldata message_) external {
        message = message_;
    }

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
        _receive(from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v));
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _receive(from, to, value, validAfter, validBefore, nonce, signature);
    }

    function _receive(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) private {
        require(to == msg.sender, "caller must be the payee");
        require(block.timestamp > validAfter && block.timestamp < validBefore, "not valid now");
        require(!authorizationState[from][nonce], "used");
        bytes32 digest = keccak256(
            abi.encodePacked(
                bytes2(0x1901),
                DOMAIN_SEPARATOR(),
                keccak256(abi.encode(RECEIVE_TYPE, from, to, value, validAfter, validBefore, nonce))
            )
        );
        require(SignatureCheckerLib.isValidSignatureNow(from, digest, signature), "invalid signature");
        authorizationState[from][nonce] = true;
        if (message.length != 0) {
            (bool taken,) = to.call(message);
            require(!taken, "was taken");
        }
        _transfer(from, to, value - fee);
    }
}

/// An account that is a contract: it takes one signature (ERC-1271), and closes its channels.
contract SmartWallet {
    bytes private accepted;

    constructor(bytes memory accepted_) {
        accepted = accepted_;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        return keccak256(signature) == keccak256(accepted) ? this.isValidSignature.selector : bytes4(0);
    }
}

/// An account whose code takes any signature, at the price of a million gas.
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 until = gasleft() - 1_000_000;
        while (gasleft() > until) {}
        return this.isValidSignature.selector;
    }
}

/// Calls somebody while it moves tokens.
contract CallingToken is TestToken {
    address public target;
    bytes public message;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function callWhileMoving(address target_, bytes calldata message_) external {
        target = target_;
        message = message_;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _call();
        return super.transferFrom(from, to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _call();
        return super.transfer(to, amount);
    }

    /// ERC-223's part: as the token itself.
    function tokenFallbackOf(address channels, address from, uint256 amount, bytes calldata data) external {
        (bool success, bytes memory result) =
            channels.call(abi.encodeWithSignature("tokenFallback(address,uint256,bytes)", from, amount, data));
        if (!success) {
            assembly {
                revert(add(result, 0x20), mload(result))
            }
        }
    }

    function _call() private {
        if (target == address(0)) return;
        address to = target;
        target = address(0);
        called = true;
        (succeeded, answer) = to.call(message);
    }
}
