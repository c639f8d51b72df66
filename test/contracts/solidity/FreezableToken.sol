// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CustomToken} from "../../../contracts/src/CustomToken.sol";

/// A token that can refuse to pay an account, as the large stable coins can.
contract FreezableToken is CustomToken {
    mapping(address => bool) public frozen;

    constructor(uint256 supply) CustomToken(supply, "CustomToken", "TKN", 18) {}

    function freeze(address account, bool isFrozen) external {
        frozen[account] = isFrozen;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        require(!frozen[to], "frozen");
        return super.transfer(to, amount);
    }
}
