// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CustomToken} from "../../../contracts/src/CustomToken.sol";

/// A token that can refuse to pay an account, as the large stable coins can, and that tells recipients with code.
contract FreezableToken is CustomToken {
    mapping(address => bool) public frozen;

    constructor(uint256 supply) CustomToken(supply, "CustomToken", "TKN", 18) {}

    function freeze(address account, bool isFrozen) external {
        frozen[account] = isFrozen;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        require(!frozen[to], "frozen");
        super.transfer(to, amount);
        if (to.code.length != 0) {
            (bool taken,) = to.call(abi.encodeWithSignature("tokenReceived(address,uint256,bytes)", msg.sender, amount, ""));
            require(taken, "not taken");
        }
        return true;
    }
}

/// What an account with a key may have as its code since EIP-7702: it burns all gas of whoever pays it.
contract Burner {
    fallback() external {
        while (true) {}
    }
}
