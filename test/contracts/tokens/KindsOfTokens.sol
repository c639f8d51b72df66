// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./HostileTokens.sol";

/// ERC-20 without anything that ERC-20 calls optional: no name, no symbol, no decimals.
contract BareToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply = 1_000_000 ether;

    constructor() {
        balanceOf[msg.sender] = totalSupply;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Name and symbol as the first tokens had them.
contract Bytes32Token is BareToken {
    bytes32 public constant name = "Maker";
    bytes32 public constant symbol = "MKR";
    uint256 public constant decimals = 18;
}

contract SymbolLessToken is BareToken {
    string public constant name = "Nameless";
    uint8 public constant decimals = 18;
}

contract DecimalLessToken is BareToken {
    string public constant name = "Whole";
    string public constant symbol = "WHL";
}

/// As USDT on Ethereum: nothing is returned, an allowance changes only from or to zero, no reason is given. It can be
/// paused, and accounts blocked, which then send nothing but still receive.
contract TetherToken {
    string public constant name = "Tether USD";
    string public constant symbol = "USDT";
    uint256 public constant decimals = 6;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public isBlackListed;
    uint256 public totalSupply = 1_000_000 ether;
    bool public paused;

    constructor() {
        balanceOf[msg.sender] = totalSupply;
    }

    function pause(bool isPaused) external {
        paused = isPaused;
    }

    function blackList(address account, bool isBlocked) external {
        isBlackListed[account] = isBlocked;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        require(!paused && !isBlackListed[from]);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// As USDC: EIP-2612, can be paused, and blocked accounts neither send, receive nor approve.
contract UsdcToken is TestToken {
    mapping(address => bool) public isBlacklisted;
    bool public paused;

    modifier open(address first, address second) {
        require(!paused, "Pausable: paused");
        require(!isBlacklisted[first] && !isBlacklisted[second], "Blacklistable: account is blacklisted");
        _;
    }

    function symbol() public pure override returns (string memory) {
        return "USDC";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function pause(bool isPaused) external {
        paused = isPaused;
    }

    function blacklist(address account, bool isBlocked) external {
        isBlacklisted[account] = isBlocked;
    }

    function approve(address spender, uint256 amount) public override open(msg.sender, spender) returns (bool) {
        return super.approve(spender, amount);
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        public
        override
        open(owner, spender)
    {
        super.permit(owner, spender, value, deadline, v, r, s);
    }

    function transfer(address to, uint256 amount) public override open(msg.sender, to) returns (bool) {
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override open(from, to) returns (bool) {
        return super.transferFrom(from, to, amount);
    }
}
