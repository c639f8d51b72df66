// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

interface IChannels {
    function token() external view returns (address);
    function createChannelDelegate(address sender, address receiver, uint192 deposit) external;
    function topUpDelegate(address sender, address receiver, uint32 openBlock, uint192 added) external;
}

interface IErc223 {
    function transfer(address to, uint256 value, bytes calldata data) external returns (bool);
}

/// @title An example of a trusted contract
/// @notice Opens and tops up channels for senders with its own tokens, for example for an owner who
/// funds many devices. It must be trusted by the channels contract first.
contract Delegate {
    /// @notice Only the owner decides over the tokens here.
    error NotOwner();

    /// @notice The deployer.
    address public immutable owner_address;

    /// @notice The channels contract that trusts this one.
    IChannels public immutable channels;

    modifier onlyOwner() {
        if (msg.sender != owner_address) revert NotOwner();
        _;
    }

    /// @param channels_ The channels contract.
    constructor(IChannels channels_) {
        owner_address = msg.sender;
        channels = channels_;
    }

    /// @notice Opens a channel for `sender`, by allowance (ERC-20).
    function createChannel(address sender, address receiver, uint192 deposit) external onlyOwner {
        SafeTransferLib.safeApproveWithRetry(channels.token(), address(channels), deposit);
        channels.createChannelDelegate(sender, receiver, deposit);
    }

    /// @notice Tops up a channel of `sender`, by allowance (ERC-20).
    function topUp(address sender, address receiver, uint32 openBlock, uint192 added) external onlyOwner {
        SafeTransferLib.safeApproveWithRetry(channels.token(), address(channels), added);
        channels.topUpDelegate(sender, receiver, openBlock, added);
    }

    /// @notice Opens or tops up by a transfer with data (ERC-223).
    /// @param data sender ‖ receiver, and the open block to top up.
    function transferWithData(uint256 amount, bytes calldata data) external onlyOwner {
        IErc223(channels.token()).transfer(address(channels), amount, data);
    }
}
