// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/src/tokens/ERC20.sol";
import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

interface ITokenRecipient {
    function tokenFallback(address from, uint256 value, bytes calldata data) external;
}

/// @title A token for tests and test networks
/// @notice ERC-20 with EIP-2612 permit (Solady), the ERC-223 transfer with data that opens and tops
/// up channels in one transaction, and tokens for ether.
contract CustomToken is ERC20 {
    /// @notice `mint` takes at least 0.1 ether.
    error NotEnoughEther();
    /// @notice Only the owner may take out the ether that was paid for tokens.
    error NotOwner();

    /// @notice Somebody paid ether for tokens.
    event Minted(address indexed _to, uint256 indexed _num);

    /// @notice Who gets the first supply, and the ether paid for tokens.
    address public immutable owner_address;

    string private _name;
    string private _symbol;
    uint8 private immutable _decimals;

    /// @param initial_supply For the deployer, in the smallest unit.
    /// @param token_name For people.
    /// @param token_symbol For people.
    /// @param decimal_units One token is 10^decimal_units of the smallest unit.
    constructor(uint256 initial_supply, string memory token_name, string memory token_symbol, uint8 decimal_units) {
        owner_address = msg.sender;
        _name = token_name;
        _symbol = token_symbol;
        _decimals = decimal_units;
        _mint(msg.sender, initial_supply);
    }

    function name() public view override returns (string memory) {
        return _name;
    }

    function symbol() public view override returns (string memory) {
        return _symbol;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// @notice 50 tokens for at least 0.1 ether.
    function mint() external payable {
        if (msg.value < 0.1 ether) revert NotEnoughEther();
        uint256 amount = 50 * 10 ** uint256(_decimals);
        _mint(msg.sender, amount);
        emit Minted(msg.sender, amount);
    }

    /// @notice ERC-223: a transfer that tells a receiving contract about itself.
    /// @param _to Account or contract.
    /// @param _value In the smallest unit.
    /// @param _data Passed to the contract's `tokenFallback`; accounts get no call.
    function transfer(address _to, uint256 _value, bytes calldata _data) external returns (bool) {
        _transfer(msg.sender, _to, _value);
        if (_to.code.length != 0) _tell(_to, abi.encodeCall(ITokenRecipient.tokenFallback, (msg.sender, _value, _data)));
        return true;
    }

    /// @notice The owner takes out the ether that was paid for tokens.
    function transferFunds() external {
        if (msg.sender != owner_address) revert NotOwner();
        SafeTransferLib.safeTransferAllETH(owner_address);
    }

    /// @dev A refusal of the contract undoes the transfer, with the contract's own error.
    function _tell(address to, bytes memory message) private {
        (bool success, bytes memory refusal) = to.call(message);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }

    /// @dev Solady would let Permit2 spend everybody's tokens; a plain token does not.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
