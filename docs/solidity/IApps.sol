// SPDX-License-Identifier: Apache-2.0
// Made from the contract's class; do not edit.
pragma solidity ^0.8.4;

/// Keeps apps, and who is an instance of one.
/// Stands at 0x6b65796d6f6f7400000000000000000000000005.
interface IApps {
    event AppCreated(bytes21 indexed app, address indexed admin);
    event AppTakenAway(bytes21 indexed app);
    event AppUpdated(bytes21 indexed app, uint64 version);
    event InstancePutOut(bytes21 indexed app, address indexed key);
    event InstanceRegistered(bytes21 indexed app, address indexed key, bytes measurement, string vendor, uint64 expiresAt);
    error Anonymous();
    error AppExists(bytes21);
    error AppRemoved(bytes21);
    error BadArguments(string,string);
    error ChainMissing();
    error DebugRefused();
    error EvidenceStale(uint64,uint64);
    error InstanceEvicted();
    error InsufficientBalance(uint256,uint256);
    error KeyTaken();
    error KeyUseRefused();
    error ListsMissing(string,string,string);
    error ListsOlder();
    error MachineRefused(string);
    error MeasurementEvicted();
    error MeasurementRefused(bytes);
    error MixRefused(string);
    error NoCode(string);
    error NoSuchApp(bytes21);
    error NotAdmin();
    error NotEndorsed();
    error NotMyKey();
    error NotPayable();
    error NotRegistered(address);
    error OtherBinding();
    error PolicyTightened();
    error RawKeysRefused();
    error Reentered();
    error Refused(string,string);
    error RegistrationExpired(uint64);
    error SaidBefore();
    error StaleApp(uint64);
    error UnknownMethod(bytes4);
    error UnknownNonce();
    error UnknownScheme();
    error VendorRefused(string);

    /// Give creator, admin, version, key for secrets, birth, and the encoded policy.
    function app(bytes21 app) external view returns (address, address, uint64, bytes32, uint64, bytes memory);

    /// Create an app whose admin is the caller; give its id.
    function create(uint8 scheme, bytes calldata policy, bytes calldata metadata) external returns (bytes21);

    /// Give metadata and sealed secrets, encoded.
    function entries(bytes21 app) external view returns (bytes memory, bytes memory);

    /// Put one instance out, for ever.
    function evict(bytes21 app, address key) external;

    /// Give app, encryption key, measurement, vendor, expiry, and whether it counts now.
    function instance(address key) external view returns (bytes21, bytes32, bytes memory, string memory, uint64, bool);

    /// Give what Intel's lists for a kind of machine are good for, why, and until when.
    function intelStanding(string calldata kind, string calldata fmspc, string calldata authority) external view returns (uint8, string memory, uint64);

    /// Tell whether a live instance of the app has signed the transaction that runs.
    function isAuthorizedOrigin(bytes21 app) external view returns (bool);

    /// Post what AMD publishes for a line of processors; anyone may, if none of it is older.
    function postAmdChain(bytes calldata chain) external;

    /// Post what Intel publishes for one kind of machine; anyone may, if none of it is older.
    function postIntelLists(bytes calldata lists) external;

    /// Register an instance, or renew its registration; anyone may pay for it.
    function register(bytes21 app, address key, bytes32 encryption, uint64 lifetime, bytes calldata header, bytes calldata evidence, bytes calldata metadata, bytes calldata endorsement, bytes calldata signature) external;

    /// Take the app away; its instances are out at once, and its id stays taken.
    function remove(bytes21 app) external;

    /// Give a live instance the key that opens its app's secrets, X25519.
    function secretsKey() external view returns (bytes32);

    /// Replace all four; what is left out is gone. An admin of zeros is nobody, for ever.
    function update(bytes21 app, uint64 expectedVersion, address admin, bytes calldata policy, bytes calldata metadata, bytes calldata secrets) external;
}
