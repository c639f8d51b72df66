// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/src/tokens/ERC20.sol";

/// A token that anybody may have, for tests.
abstract contract TestToken is ERC20 {
    constructor() {
        _mint(msg.sender, 1_000_000 ether);
    }

    function name() public pure override returns (string memory) {
        return "Test";
    }

    function symbol() public pure override returns (string memory) {
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
