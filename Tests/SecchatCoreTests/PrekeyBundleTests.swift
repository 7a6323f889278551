import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// What a registry says of a device's prekeys is believed where the device has signed it.
@Suite struct PrekeyBundleTests {
  private let offer = Messages.bundle.offer
  private var now: UInt64 { offer.signed.expires - 1 }

  private func failure(
    _ offer: PrekeyOffer, device: UInt32 = 1, of list: DeviceList = Users.bobList.list, now: UInt64? = nil
  ) -> PrekeyBundle.Failure? {
    do throws(PrekeyBundle.Failure) {
      _ = try PrekeyBundle(verifying: offer, of: device, on: list, now: now ?? self.now)
      return nil
    } catch { return error }
  }

  @Test func `a bundle says whose it is`() throws {
    let bundle = try PrekeyBundle(verifying: offer, of: 1, on: Users.bobList.list, now: now)
    #expect(bundle.account == Users.bobAccount && bundle.identity == Users.bob.identity.publicKey)
    #expect(bundle.device == Users.bob.publicDevice)
    #expect(bundle.signed == offer.signed && bundle.oneTime == offer.oneTime)
  }

  @Test func `every changed bit of a signed prekey is refused`() throws {
    let body = Array(Messages.bundle.encoded.dropFirst())
    for index in 4..<4 + SignedPrekey.length {
      for bit in 0..<8 {
        var changed = body
        changed[index] ^= 1 << bit
        // An id of 0 is refused as it is read.
        guard let bundle = try? Bundle(wholeBody: changed.raw) else { continue }
        #expect(failure(bundle.offer, now: 0) == .badSignature, "byte \(index), bit \(bit)")
      }
    }
  }

  @Test func `a signed prekey is for one device of one account at one registry`() throws {
    func signed(_ account: Account, _ device: UInt32, by user: SecretIdentity = Users.bob) -> PrekeyOffer {
      PrekeyOffer(
        signed: SignedPrekey(
          signing: offer.signed.key, id: 3, expires: offer.signed.expires, for: account, device: device,
          with: user.signing), oneTime: nil)
    }
    let elsewhere = Account(name: Users.bobAccount.name, registry: Users.bob.link.publicKey)
    #expect(failure(signed(Users.bobAccount, 1)) == nil)
    #expect(failure(signed(Users.aliceAccount, 1)) == .badSignature)
    #expect(failure(signed(elsewhere, 1)) == .badSignature)
    #expect(failure(signed(Users.bobAccount, 2)) == .badSignature)
    #expect(failure(signed(Users.bobAccount, 1, by: Users.alice)) == .badSignature)
    #expect(failure(offer, of: Users.aliceList.list) == .badSignature)
    #expect(failure(offer, device: 2) == .unknownDevice)
  }

  @Test func `a signed prekey ends`() {
    #expect(failure(offer, now: offer.signed.expires) == .expired)
    #expect(failure(offer, now: .max) == .expired)
  }
}
